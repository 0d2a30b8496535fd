-- Prolongs the time for which a load counts as under way, unless another load has replaced it.
--
-- KEYS  1 loading  STRING  epoch of the load under way
-- ARGV  1 epoch     that opening the board returned
--       2 lease ms  from now; 0 when the load has failed
-- Result  nil
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
