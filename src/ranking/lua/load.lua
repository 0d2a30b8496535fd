-- Ends a load: merges the best rows, read from the database since the board was opened, and closes
-- the board. Rows that were changed meanwhile keep the change, unless the row read has a higher
-- version; all other rows become what was read.
--
-- KEYS  1 scores   ZSET    member -> score
--       2 rows     HASH    member -> row as JSON
--       3 meta     HASH    epoch, seq, open, loaded, capacity, floor_member, floor_score,
--                          next:<partition>
--       4 touched  HASH    member changed since the board was opened -> 1 when the row was deleted
--                          meanwhile, and may have been inserted again; 0 otherwise
--       5 loading  STRING  epoch of the load under way
-- ARGV  1 epoch         that opening the board returned
--       2 channel       on which the change is published
--       3 floor member  best row that was not read ('' when the whole table was)
--       4 floor score
--       5.. per row read: member, score, version, row as JSON
-- Result  how many rows differed; -1 when another load has opened the board since, or when this load
--         has ended already: a client whose connection breaks before the answer calls this again
local scores, rows, meta, touched, loading = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local state = redis.call('HMGET', meta, 'epoch', 'open')
if state[1] ~= ARGV[1] or state[2] ~= '1' then return -1 end

local replaced = {}
local fields = redis.call('HGETALL', touched)
for i = 1, #fields, 2 do replaced[fields[i]] = fields[i + 1] == '1' end

local differing = 0
local is_read = {}
for i = 5, #ARGV, 4 do
  local member, score, version, row = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  is_read[member] = true
  local present = redis.call('HGET', rows, member)
  -- If the row was deleted meanwhile, it may have been read before that, whatever its version. Any
  -- other touched row is present, and the versions show which state is newer.
  local kept = replaced[member]
    or replaced[member] == false and cjson.decode(present).version >= version
  if not kept and present ~= row then
    redis.call('ZADD', scores, score, member)
    redis.call('HSET', rows, member, row)
    differing = differing + 1
  end
end

local function remove(member)
  redis.call('ZREM', scores, member)
  redis.call('HDEL', rows, member)
end

for _, member in ipairs(redis.call('HKEYS', rows)) do
  if not is_read[member] and replaced[member] == nil then
    remove(member)
    differing = differing + 1
  end
end

local floor_member, floor_score = ARGV[3], ARGV[4]
if floor_member ~= '' then
  -- Rows that changed meanwhile may have fallen to the floor or below.
  local low = redis.call('ZRANGEBYSCORE', scores, '-inf', floor_score, 'WITHSCORES')
  for i = 1, #low, 2 do
    if tonumber(low[i + 1]) < tonumber(floor_score) or low[i] <= floor_member then
      remove(low[i])
    end
  end
end
local excess = redis.call('ZCARD', scores) - tonumber(redis.call('HGET', meta, 'capacity'))
if excess > 0 then
  local evicted = redis.call('ZPOPMIN', scores, excess)
  for i = 1, #evicted, 2 do redis.call('HDEL', rows, evicted[i]) end
  floor_member, floor_score = evicted[#evicted - 1], evicted[#evicted]
end
if floor_member ~= '' then
  redis.call('HSET', meta, 'floor_member', floor_member, 'floor_score', floor_score)
end
redis.call('HSET', meta, 'open', '0', 'loaded', '1')
redis.call('DEL', touched, loading)
local seq = string.format('%.0f', redis.call('HINCRBY', meta, 'seq', 1))
redis.call('PUBLISH', ARGV[2], '{"seq":' .. seq .. ',"reload":true}')
return differing
