-- Brings one object's cached states up to what was committed: its counters and users' own marks.
-- Every state is absolute and has a version, so that late and repeated calls do no harm.
-- KEYS[1]   hash of the counters: r, l, c, v (version)
-- KEYS[2…]  hashes of users' marks: l, lv (version), c, cv (version), p (announced changes)
-- ARGV[1]   "write" for a committed change, applied unless the version is older than what is there;
--           "load" for what was read on a miss, applied only where it is newer
-- ARGV[2]   ttl of the counters in ms, ARGV[3] ttl of the marks in ms
-- ARGV[4…7] reads, likes, collects, version; an empty version leaves the counters as they are
-- ARGV[8…]  for each key of marks: l, lv, c, cv; an empty lv or cv leaves that mark as it is
-- Result    1
local loading = ARGV[1] == 'load'

local function applies(present, version)
  if version == '' then
    return false
  end
  if not present then
    return true
  end
  if loading then
    return tonumber(version) > tonumber(present)
  end
  return tonumber(version) >= tonumber(present)
end

if applies(redis.call('HGET', KEYS[1], 'v'), ARGV[7]) then
  redis.call('HSET', KEYS[1], 'r', ARGV[4], 'l', ARGV[5], 'c', ARGV[6], 'v', ARGV[7])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end

for i = 2, #KEYS do
  local key = KEYS[i]
  local at = 8 + (i - 2) * 4
  local present = redis.call('HMGET', key, 'lv', 'cv', 'p')
  local pending = tonumber(present[3] or '0')
  if not loading and pending > 0 then
    pending = pending - 1
    redis.call('HSET', key, 'p', pending)
  end
  -- What was read while a change is announced may be outdated by the time it arrives here.
  if not (loading and pending > 0) then
    local written = false
    if applies(present[1], ARGV[at + 1]) then
      redis.call('HSET', key, 'l', ARGV[at], 'lv', ARGV[at + 1])
      written = true
    end
    if applies(present[2], ARGV[at + 3]) then
      redis.call('HSET', key, 'c', ARGV[at + 2], 'cv', ARGV[at + 3])
      written = true
    end
    if pending == 0 and (written or present[3]) then
      redis.call('HDEL', key, 'p')
      redis.call('PEXPIRE', key, ARGV[3])
    end
  end
end
return 1
