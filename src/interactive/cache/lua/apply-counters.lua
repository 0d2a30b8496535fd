-- Applies a committed state of one object's counters to the cache. States are absolute and ordered, so
-- late and repeated calls do no harm: of an object's rows the one with the higher id is newer (the
-- earlier one was deleted), and of a row's states the one with the higher version.
--
-- KEYS[1]  hash  r, l, c (counts), i (the row's id), v (its version), t (ticket of loads). A hash with
--          i and v but no counts is a floor: older states must not be cached.
-- ARGV[1]  mode:
--          "write"    a change of this program, right after its commit: applied where newer
--          "load"     read from MySQL on a miss: applied where newer, and onto a floor of the same
--                     state, but only while the hash has the ticket that it had before the read
--          "capture"  from change capture, perhaps late: applied unless older, because other programs
--                     may leave the version; where no counts are cached it only sets the floor
--          "late"     the same while change capture stands: sets the floor also where counts are cached,
--                     since they may be newer; they are loaded again
--          "deleted"  a captured deletion: leaves only the floor, above the row's last state. The row
--                     may be inserted again under its id with lower versions: until the floor
--                     expires, nothing of it is cached
-- ARGV[2]  milliseconds that the counters stay
-- ARGV[3]  milliseconds that a floor stays
-- ARGV[4…9] reads, likes, collects, id, version, ticket
-- Result   1
local key = KEYS[1]
local mode, ttl, floor_ttl = ARGV[1], ARGV[2], ARGV[3]
local reads, likes, collects = ARGV[4], ARGV[5], ARGV[6]
local id, version, ticket = ARGV[7], ARGV[8], ARGV[9]

local present = redis.call('HMGET', key, 'i', 'v', 'r', 't')
local present_id, present_version, is_cached = present[1], present[2], present[3]
if mode == 'load' and present[4] ~= ticket then return 1 end

local is_newer, is_equal = true, false
if present_id then
  local by_id = tonumber(id) - tonumber(present_id)
  local by_version = tonumber(version) - tonumber(present_version)
  is_newer = by_id > 0 or (by_id == 0 and by_version > 0)
  is_equal = by_id == 0 and by_version == 0
end
local applies_equal = mode == 'capture' or mode == 'late' or (mode == 'load' and not is_cached)
if not (is_newer or (is_equal and applies_equal)) then return 1 end

if mode == 'deleted' or mode == 'late' or (mode == 'capture' and not is_cached) then
  redis.call('HDEL', key, 'r', 'l', 'c')
  redis.call('HSET', key, 'i', id, 'v', version)
  redis.call('PEXPIRE', key, floor_ttl)
  return 1
end
redis.call('HSET', key, 'r', reads, 'l', likes, 'c', collects, 'i', id, 'v', version)
-- A load of the floor's own state may have missed a change that left the version: it stays no longer
-- than the floor would have.
if is_newer or is_cached or redis.call('PTTL', key) > tonumber(ttl) then
  redis.call('PEXPIRE', key, ttl)
end
return 1
