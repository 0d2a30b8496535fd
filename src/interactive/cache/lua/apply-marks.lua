-- Applies committed states of users' marks of one object to the cache. A mark's states are absolute and
-- ordered by their version, so late and repeated calls do no harm.
--
-- KEYS     hashes  l (liked), lv (its version), c (collected), cv (its version), p (announced changes
--          that have not ended), t (ticket of loads)
-- ARGV[1]  mode:
--          "write"  an announced change has ended: applied where newer. Empty versions retract the
--                   announcement and leave the marks as they are
--          "load"   read from MySQL on a miss: applied where newer, but only while no change is
--                   announced and the hash has the ticket that it had before the read
-- ARGV[2…] for each key: liked, its version, collected, its version, ticket, and the milliseconds that
--          the marks stay
-- Result   1
local mode = ARGV[1]

local function is_newer(version, present)
  return version ~= '' and (not present or tonumber(version) > tonumber(present))
end

for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 6
  local liked, liked_version = ARGV[at], ARGV[at + 1]
  local collected, collected_version = ARGV[at + 2], ARGV[at + 3]
  local present = redis.call('HMGET', key, 'lv', 'cv', 'p', 't')
  local pending = tonumber(present[3] or '0')
  if mode == 'write' and pending > 0 then
    pending = pending - 1
    redis.call('HSET', key, 'p', pending)
  end
  -- A state that was read while a change is announced may be outdated when it arrives here.
  local is_refused = mode == 'load' and (pending > 0 or present[4] ~= ARGV[at + 4])
  if not is_refused then
    local is_written = false
    if is_newer(liked_version, present[1]) then
      redis.call('HSET', key, 'l', liked, 'lv', liked_version)
      is_written = true
    end
    if is_newer(collected_version, present[2]) then
      redis.call('HSET', key, 'c', collected, 'cv', collected_version)
      is_written = true
    end
    if pending == 0 and (is_written or present[3]) then
      redis.call('HDEL', key, 'p')
      redis.call('PEXPIRE', key, ARGV[at + 5])
    end
  end
end
return 1
