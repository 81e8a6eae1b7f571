-- Commit one change of an order: all of it or nothing.
--
-- KEYS  1 order (hash)  2 events (stream)  3 position (string)  4 log (stream)
--       5 deadlines (zset)  6 trail (string)
-- ARGV  1 the rev that the change was decided on (0: the order must not exist)
--       2 state (msgpack)  3 epoch  4 seq  5 seconds to keep  6 channel
--       7 what becomes of position and trail: "keep", "open" (a new leg) or "close"
--       8 for the webhooks (msgpack)  9 leg, time of the change and rider, with spaces between  10 order id
--       11 number of events n, then n events (JSON), the last of which has `seq`
--       then number of deadlines d, then d pairs of code and due time (Unix ms)
--       then the codes to clear
-- Answers {1, rev} or, when somebody else was first, {0, rev, state}.

local rev = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
if rev ~= tonumber(ARGV[1]) then
  return {0, rev, redis.call('HGET', KEYS[1], 'state')}
end

local seq, ttl, id = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[10]
local events = tonumber(ARGV[11])
redis.call('HSET', KEYS[1], 'rev', rev + 1, 'state', ARGV[2], 'epoch', ARGV[3], 'seq', seq)

for i = 1, events do
  local event = ARGV[11 + i]
  local number = string.format('%d-0', seq - events + i)
  redis.call('XADD', KEYS[2], 'MAXLEN', 1000, number, 'e', event)
  redis.call('XADD', KEYS[4], '*', 'o', id, 'e', event, 'w', ARGV[8])
  redis.call('SPUBLISH', ARGV[6], 'E' .. ARGV[9] .. '\n' .. event)
end

if ARGV[7] == 'open' then
  redis.call('SET', KEYS[3], '', 'EX', ttl)
  redis.call('SET', KEYS[6], '', 'EX', ttl)
elseif ARGV[7] == 'close' then
  redis.call('DEL', KEYS[3], KEYS[6])
end

local at = 12 + events
local deadlines = tonumber(ARGV[at])
for i = 1, deadlines do
  redis.call('ZADD', KEYS[5], tonumber(ARGV[at + 2 * i]), id .. '|' .. ARGV[at + 2 * i - 1])
end
for i = at + 2 * deadlines + 1, #ARGV do
  redis.call('ZREM', KEYS[5], id .. '|' .. ARGV[i])
end

redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[2], ttl)
return {1, rev + 1}
