-- Announces that users' cached marks are about to change. Until the change is applied or retracted, or
-- the announcement expires because its process died, readers ask MySQL.
--
-- KEYS     hashes of users' marks
-- ARGV[1]  milliseconds after which the keys expire
-- Result   1
for _, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, 'p', 1)
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
