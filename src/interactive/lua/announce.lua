-- Marks users' cached marks as about to change: until the change is applied, or the announcement
-- expires since its process died, readers ask the database.
-- KEYS[…]  hashes of users' marks
-- ARGV[1]  milliseconds after which the keys are dropped
-- Result   1
for _, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, 'p', 1)
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
