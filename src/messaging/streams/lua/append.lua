-- Appends messages to one partition, giving them the next offsets; once, though it is run twice: a
-- client whose connection ends before the answer sends the command again. It has one append to the
-- partition under way at a time, so a number that is not above the last one was there already.
--
-- An offset is given once, also when Redis loses its last writes: consumers remember in MySQL which
-- ones they have handled, and would take the new message of an old offset for handled too. What was
-- lost cannot be known, but only a process of Redis that began since (crash, restart, failover) can
-- have lost it, and every process has a run id of its own. The first append under another run id
-- than the partition's last one goes on far behind everything that the former processes can have
-- given: by a million more than what is left of the count, as no lost tail has so many; and not
-- below the clock's microseconds, lest a process that loses even this step makes its successor take
-- the same one: no process appends a million a second.
--
-- KEYS[1] stream   KEYS[2] next offset   KEYS[3] run id of the last append
-- KEYS[4] gaps     HASH  the first offset that was left out -> the one that came in its place
-- KEYS[5] producer TEXT  the number of the client's last append, for an hour
-- ARGV[1] number of this append, above those before; then for each entry: how many messages it has,
--         the messages
-- Result  1, or 0 when it was there already
if tonumber(redis.call('GET', KEYS[5]) or 0) >= tonumber(ARGV[1]) then
  return 0
end

local now = redis.call('TIME')
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[3]) ~= run then
  local from = redis.call('GET', KEYS[2])
  if from then
    local to = math.max(tonumber(from) + 1000000, now[1] * 1000000 + now[2])
    to = string.format('%.0f', to)
    redis.call('HSET', KEYS[4], from, to)
    redis.call('SET', KEYS[2], to)
  end
  redis.call('SET', KEYS[3], run)
end

local count = 0
for i = 2, #ARGV, 2 do
  count = count + tonumber(ARGV[i])
end
local last = redis.call('INCRBY', KEYS[2], count) - count - 1
local timestamp = string.format('%d%03d', now[1], math.floor(now[2] / 1000))
for i = 2, #ARGV, 2 do
  last = last + tonumber(ARGV[i])
  -- By its last message, so that a reader who wants any of them finds it from there on.
  redis.call('XADD', KEYS[1], string.format('%.0f-1', last), 't', timestamp, 'm', ARGV[i + 1])
end
redis.call('SET', KEYS[5], ARGV[1], 'PX', 3600000)
return 1
