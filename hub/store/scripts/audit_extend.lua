-- Extend the audit log, if nobody else has meanwhile.
--
-- KEYS  1 oc:{audit}:log (hash)  2 oc:{audit}:cursors (hash)
--       then a key per tile, then a key per run of an order's places, then a key per order's tip
-- ARGV  1 the log's id (a new one where there is no log yet)  2 the size that it was extended from
--       3 the size now  4 seconds to keep full tiles of leaves  5 seconds to keep places and tips
--       6 number of cursors c, then c pairs of partition and cursor
--       then the number of tiles t, then t times: offset, bytes, and the tile's number where it is
--       one of leaves and full now, else ''
--       then the number of runs r, then r times: offset, bytes
--       then per order its tip, or '' where it has none any more
-- Answers 1, or 0 where the log is another or of another size.

local log = redis.call('HMGET', KEYS[1], 'id', 'size', 'kept')
if tonumber(log[2] or '0') ~= tonumber(ARGV[2]) or (log[1] and log[1] ~= ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'size', ARGV[3])

local at = 7
for _ = 1, tonumber(ARGV[6]) do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  at = at + 2
end

local key = 3
local tiles = tonumber(ARGV[at])
at = at + 1
for _ = 1, tiles do
  local offset, bytes, full = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if full ~= '' and full ~= log[3] then
    redis.call('SET', KEYS[key], bytes, 'EX', ARGV[4])
  elseif offset == '0' then
    redis.call('SET', KEYS[key], bytes)
  else
    redis.call('SETRANGE', KEYS[key], offset, bytes)
  end
  key = key + 1
  at = at + 3
end

local runs = tonumber(ARGV[at])
at = at + 1
for _ = 1, runs do
  redis.call('SETRANGE', KEYS[key], ARGV[at], ARGV[at + 1])
  redis.call('EXPIRE', KEYS[key], ARGV[5])
  key = key + 1
  at = at + 2
end

for i = key, #KEYS do
  if ARGV[at] == '' then
    redis.call('DEL', KEYS[i])
  else
    redis.call('SET', KEYS[i], ARGV[at], 'EX', ARGV[5])
  end
  at = at + 1
end
return 1
