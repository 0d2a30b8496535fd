-- A whole board at one moment, for a process whose copy is not up to date.
--
-- KEYS  1 rows  HASH  member -> row as JSON
--       2 meta  HASH  epoch, seq, open, loaded, capacity, floor_member, floor_score,
--                   next:<partition>
-- Result  {meta as field, value, …, rows as JSON}; meta is empty when there is no board
return { redis.call('HGETALL', KEYS[2]), redis.call('HVALS', KEYS[1]) }
