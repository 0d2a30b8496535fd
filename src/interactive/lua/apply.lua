-- Brings one object's cached states up to what was committed: its counters and users' own marks.
-- Every state is absolute and can be ordered, so that late and repeated calls do no harm: of an
-- object's rows the one with the higher id is newer (its predecessor was deleted), of a row's states
-- the one with the higher version, and of a mark's states likewise.
-- KEYS[1]   hash of the counters: r, l, c, i (the row's id), v (its version), t (ticket of loads). One
--           with i and v but no counters is a floor: older ones must not be cached
-- KEYS[2…]  hashes of users' marks: l, lv (version), c, cv (version), p (announced changes), t
-- ARGV[1]   "write" for a change of the program's own, right after its commit: applied where newer;
--           "load" for what was read on a miss: applied where newer, and onto a floor as new as it,
--           but only while the hash has the ticket that it had before the reading;
--           "capture" for what change capture tells, perhaps late: applied unless older, since other
--           writers may leave the version, but where no counters are cached it only sets the floor;
--           "gone" for a captured deletion: leaves the floor alone, above the row's last state. The row
--           may come again under its id with lower versions: until the floor is gone, nothing is kept
-- ARGV[2]   ttl of the counters in ms, ARGV[3] ttl of the marks in ms, ARGV[4] ttl of a floor in ms
-- ARGV[5…10] reads, likes, collects, id, version, ticket; an empty id leaves the counters as they are
-- ARGV[11…] for each key of marks: l, lv, c, cv, ticket; an empty lv or cv leaves that mark as it is
-- Result    1
local mode = ARGV[1]

local function applyCounters()
  local id, version = tonumber(ARGV[8]), tonumber(ARGV[9])
  local present = redis.call('HMGET', KEYS[1], 'i', 'v', 'r', 't')
  if mode == 'load' and present[4] ~= ARGV[10] then
    return
  end
  local isNewer, isEqual = true, false
  if present[1] then
    local presentId, presentVersion = tonumber(present[1]), tonumber(present[2])
    isNewer = id > presentId or (id == presentId and version > presentVersion)
    isEqual = id == presentId and version == presentVersion
  end
  local isCached = present[3]
  local appliesEqual = mode == 'capture' or (mode == 'load' and not isCached)
  if not (isNewer or (isEqual and appliesEqual)) then
    return
  end
  if mode == 'gone' or (mode == 'capture' and not isCached) then
    redis.call('HDEL', KEYS[1], 'r', 'l', 'c')
    redis.call('HSET', KEYS[1], 'i', ARGV[8], 'v', ARGV[9])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return
  end
  redis.call('HSET', KEYS[1], 'r', ARGV[5], 'l', ARGV[6], 'c', ARGV[7], 'i', ARGV[8], 'v', ARGV[9])
  -- A load as new as the floor may still have missed a change that left the version: it stays no
  -- longer than the floor would have.
  if isNewer or isCached then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
end

local function applies(present, version)
  return version ~= '' and (not present or tonumber(version) > tonumber(present))
end

if ARGV[8] ~= '' then
  applyCounters()
end

for i = 2, #KEYS do
  local key = KEYS[i]
  local at = 11 + (i - 2) * 5
  local present = redis.call('HMGET', key, 'lv', 'cv', 'p', 't')
  local pending = tonumber(present[3] or '0')
  if mode == 'write' and pending > 0 then
    pending = pending - 1
    redis.call('HSET', key, 'p', pending)
  end
  -- What was read while a change is announced may be outdated by the time it arrives here.
  if not (mode == 'load' and (pending > 0 or present[4] ~= ARGV[at + 4])) then
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
