-- Makes room for further appends above the entries that other programs have added to a stream. Redis
-- takes only rising ids, and ids are offsets: such an entry ends the offsets below it.
--
-- The next offset moves above the entries. Only an id so high that no offsets would be left above it
-- cannot stay: then the stream is written again, where such an entry becomes the last one, at the next
-- offset and without its content. Consumers meet it once, as one message that no topic accepts.
--
-- KEYS[1] stream   STREAM
-- KEYS[2] next     TEXT  next offset
-- KEYS[3] gaps     HASH  the first offset that was left out -> the next one used
-- KEYS[4] rebuilt  STREAM  exists only inside of this script
-- ARGV[1] no entry stays at this offset or above
-- Result  1 when there were such entries, otherwise 0
local limit = tonumber(ARGV[1])
local next_offset = tonumber(redis.call('GET', KEYS[2]) or 0)

local function offset_of(id)
  return tonumber(string.match(id, '^%d+'))
end

local function text(offset)
  return string.format('%.0f', offset)
end

--- The entries' offsets are used up to this one.
local function move_above(offset)
  if offset < next_offset then return end
  if offset > next_offset then
    redis.call('HSET', KEYS[3], text(next_offset), text(offset))
  end
  next_offset = offset + 1
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
-- Also that of an entry which has been deleted since.
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local highest
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then highest = offset_of(info[i + 1]) end
end
if highest < next_offset then return 0 end

if highest < limit then
  move_above(highest)
else
  local moved = {}
  local from = '-'
  repeat
    local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 1000)
    for _, entry in ipairs(entries) do
      local id, fields = entry[1], entry[2]
      from = '(' .. id
      if offset_of(id) >= limit then
        moved[#moved + 1] = id
      elseif #fields <= 1000 then
        redis.call('XADD', KEYS[4], id, unpack(fields))
      else
        redis.call('XADD', KEYS[4], id, 'foreign', id)
      end
      if offset_of(id) < limit then move_above(offset_of(id)) end
    end
  until #entries < 1000
  for _, id in ipairs(moved) do
    redis.call('XADD', KEYS[4], text(next_offset) .. '-1', 'foreign', id)
    next_offset = next_offset + 1
  end
  if redis.call('EXISTS', KEYS[4]) == 1 then
    redis.call('RENAME', KEYS[4], KEYS[1])
  else
    redis.call('DEL', KEYS[1])
  end
end
redis.call('SET', KEYS[2], text(next_offset))
return 1
