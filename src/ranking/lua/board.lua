-- Applies one batch of row states to a board: captured changes reach it only by this script.
--
-- KEYS  1 scores   ZSET  member (id, zero-padded so that ties order by id) -> score
--       2 rows     HASH  member -> row as JSON
--       3 meta     HASH  epoch, seq, open, loaded, capacity, floor_member, floor_score,
--                        next:<partition>
--       4 touched  HASH  member changed since the board was opened -> 1 when the row was deleted
--                        meanwhile, and may have been inserted again; 0 otherwise
-- ARGV  1 epoch      the board's epoch when the caller decided which rows can matter
--       2 partition  of the change log that the batch came from
--       3 expected   the partition's next offset as the caller expects it here ('' for none)
--       4 next       offset after the batch
--       5 channel    on which the change is published
--       6.. per row: member, score ('' when deleted), basis (version), row as JSON ('' when deleted)
-- Result  {'absent'}           there is no board (Redis was emptied): load it
--         {'stale'}            another process has opened the board or handled the partition since:
--                              decide again
--         {'applied', message} message is what was published, '' when nothing changed
local scores, rows, meta, touched = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local state = redis.call('HMGET', meta, 'epoch', 'open', 'floor_member', 'floor_score',
  'next:' .. ARGV[2], 'capacity')
local epoch, open, next_offset = state[1], state[2] == '1', state[5] or ''
local floor_member, floor_text = state[3], state[4]
local floor_score = floor_text and tonumber(floor_text)
if not epoch then return { 'absent' } end
if epoch ~= ARGV[1] or next_offset ~= ARGV[3] then return { 'stale' } end

-- Never lowered: messages below it are replays, for which the caller reads the rows from the database.
if next_offset == '' or tonumber(ARGV[4]) > tonumber(next_offset) then
  redis.call('HSET', meta, 'next:' .. ARGV[2], ARGV[4])
end

local function above_floor(score, member)
  if not floor_score or score > floor_score then return true end
  return score == floor_score and member > floor_member
end

local changed = {}
for i = 6, #ARGV, 4 do
  local member, score, basis, row = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local present = redis.call('HGET', rows, member)
  local outdated = present and basis < cjson.decode(present).version
  -- An outdated state is not noted as a change, so that a load may still correct the row.
  if open and not outdated then
    -- The versions of a row that was inserted again under its id start over.
    local replaced = score == '' or cjson.decode(row).version < basis
    if replaced then redis.call('HSET', touched, member, 1)
    else redis.call('HSETNX', touched, member, 0) end
  end
  local belongs = score ~= '' and above_floor(tonumber(score), member)
  local differs = belongs and present ~= row or (not belongs and present)
  if differs and not outdated then
    if belongs then
      redis.call('ZADD', scores, score, member)
      redis.call('HSET', rows, member, row)
    else
      redis.call('ZREM', scores, member)
      redis.call('HDEL', rows, member)
    end
    changed[#changed + 1] = '{"id":' .. string.match(member, '^0*(%d+)$') .. ',"row":'
      .. (score == '' and 'null' or row) .. '}'
  end
end
if #changed == 0 then return { 'applied', '' } end

local excess = redis.call('ZCARD', scores) - tonumber(state[6])
if not open and excess > 0 then
  local evicted = redis.call('ZPOPMIN', scores, excess)
  for i = 1, #evicted, 2 do redis.call('HDEL', rows, evicted[i]) end
  -- Every row that is now outside ranks no higher than the best evicted one.
  floor_member, floor_text = evicted[#evicted - 1], evicted[#evicted]
  redis.call('HSET', meta, 'floor_member', floor_member, 'floor_score', floor_text)
end

local seq = redis.call('HINCRBY', meta, 'seq', 1)
local floor = floor_member
  and '{"id":' .. string.match(floor_member, '^0*(%d+)$') .. ',"score":' .. floor_text .. '}'
  or 'null'
local message = '{"seq":' .. string.format('%.0f', seq) .. ',"count":'
  .. redis.call('ZCARD', scores) .. ',"floor":' .. floor
  .. ',"states":[' .. table.concat(changed, ',') .. ']}'
redis.call('PUBLISH', ARGV[5], message)
return { 'applied', message }
