-- Commit one change of an order: all of it or nothing.
--
-- KEYS  1 order (hash)  2 events (stream)  3 position (string)  4 log (stream)
--       5 deadlines (zset)  6 trail (string)  7 open exceptions (zset)
--       8 position and 9 trail of the leg before
--       10 live orders of the status before (zset)  11 of the status after  12 tally (hash)
-- ARGV  1 the rev that the change was decided on (0: the order must not exist)
--       2 state (msgpack)  3 epoch  4 seq  5 seconds to keep  6 channel
--       7 what becomes of position and trail: "keep", "open" (a new leg) or "close"
--       8 for the webhooks (msgpack)  9 leg, time of the change, rider, the hand-over that was told and,
--         if it is traced, traceparent, with spaces between  10 order id
--       11 the status that is entered ("": none)  12 when the order was placed (Unix ms; "": the
--         status is final)  13 seconds to keep a tally
--       14 number of events n, then n events (JSON), the last of which has `seq`
--       then number of deadlines to set, then pairs of deadline and due time (Unix ms)
--       then number of deadlines to clear, then these
--       then number of exceptions opened, then pairs of `id|code` and time (Unix ms)
--       then those closed, `id|code`
-- Answers {1, rev} or, when somebody else was first, {0, rev, state}.

local rev = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
if rev ~= tonumber(ARGV[1]) then
  return {0, rev, redis.call('HGET', KEYS[1], 'state')}
end

local seq, ttl, id = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[10]
local events = tonumber(ARGV[14])
redis.call('HSET', KEYS[1], 'rev', rev + 1, 'state', ARGV[2], 'epoch', ARGV[3], 'seq', seq,
  'leg', string.match(ARGV[9], '^%d+'))

for i = 1, events do
  local event = ARGV[14 + i]
  local number = string.format('%d-0', seq - events + i)
  redis.call('XADD', KEYS[2], 'MAXLEN', 1000, number, 'e', event)
  redis.call('XADD', KEYS[4], '*', 'o', id, 'e', event, 'w', ARGV[8])
  redis.call('SPUBLISH', ARGV[6], 'E' .. ARGV[9] .. '\n' .. event)
end

if ARGV[11] ~= '' then
  if KEYS[10] ~= KEYS[11] then
    redis.call('ZREM', KEYS[10], id)
  end
  if ARGV[12] ~= '' then
    redis.call('ZADD', KEYS[11], tonumber(ARGV[12]), id)
  end
  if redis.call('HINCRBY', KEYS[12], ARGV[11], 1) == 1 then
    redis.call('EXPIRE', KEYS[12], tonumber(ARGV[13]))
  end
end

if ARGV[7] ~= 'keep' then
  redis.call('DEL', KEYS[8], KEYS[9])
end
if ARGV[7] == 'open' then
  redis.call('SET', KEYS[3], '', 'EX', ttl)
  redis.call('SET', KEYS[6], '', 'EX', ttl)
elseif ARGV[7] == 'close' then
  redis.call('DEL', KEYS[3], KEYS[6])
end

local at = 15 + events  -- of a number, after which so many arguments follow
local function each(width, act)
  local number = tonumber(ARGV[at])
  for i = 1, number do
    act(at + width * (i - 1) + 1)
  end
  at = at + width * number + 1
end

local function add(key)
  return function(i)
    redis.call('ZADD', key, tonumber(ARGV[i + 1]), id .. '|' .. ARGV[i])
  end
end

each(2, add(KEYS[5]))
each(1, function(i) redis.call('ZREM', KEYS[5], id .. '|' .. ARGV[i]) end)
each(2, add(KEYS[7]))
for i = at, #ARGV do
  redis.call('ZREM', KEYS[7], id .. '|' .. ARGV[i])
end

redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[2], ttl)
return {1, rev + 1}
