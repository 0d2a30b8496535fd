-- Prolongs the time for which a load counts as under way, unless another has taken its place.
--
-- KEYS  1 loading  STRING  epoch of the load under way
-- ARGV  1 epoch  that opening the board gave
--       2 lease  milliseconds from now; 0 when the load has failed
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
