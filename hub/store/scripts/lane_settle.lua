-- Write down how an attempt ended, and what follows from it.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     queue, lane, fence, id, state (pending, delivered, dead or held), ms until the next
--          attempt (pending), attempt record ("": none was made), ms to keep a delivered one,
--          ms to keep what is set aside, whole lane ("1"), switch the order's URL off ("1")
-- Answers  ms until the lane is due again (-1: it is empty), or -2 for a stale fence: then
--          nothing was changed.
local head = string.match(KEYS[1], '^(.-})') .. ':'
local queue, lane, fence, id, state = unpack(ARGV, 1, 5)
local delay, record = tonumber(ARGV[6]), ARGV[7]
local keep_delivered, keep_aside = tonumber(ARGV[8]), tonumber(ARGV[9])
local whole, off = ARGV[10] == '1', ARGV[11] == '1'
local due, waiting = head .. 'due:' .. queue, head .. 'lane:' .. lane
if tonumber(redis.call('ZSCORE', due, lane) or -1) ~= tonumber(fence) then
  return -2
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function set_aside(each)
  local key = head .. 'delivery:' .. each
  local target, url = unpack(redis.call('HMGET', key, 'target', 'url'))
  local aside = head .. 'aside:' .. (url == '' and target or lane)
  redis.call('HSET', key, 'state', state, 'settled', now)
  redis.call('ZADD', aside, now, each)
  redis.call('PEXPIRE', aside, keep_aside)
  redis.call('PEXPIRE', key, keep_aside)
  redis.call('ZREM', waiting, each)
end

local delivery = head .. 'delivery:' .. id
if record ~= '' then
  redis.call('HSET', delivery, 'attempt:' .. redis.call('HGET', delivery, 'attempts'), record)
elseif redis.call('HINCRBY', delivery, 'attempts', -1) == 0 then
  redis.call('HDEL', delivery, 'first')
end
if off then
  local order = redis.call('HGET', delivery, 'order')
  redis.call('SET', head .. 'off:' .. order, now, 'PX', keep_aside)
end

if state == 'delivered' then
  redis.call('HSET', delivery, 'state', state, 'settled', now)
  redis.call('PEXPIRE', delivery, keep_delivered)
  redis.call('ZREM', waiting, id)
elseif state ~= 'pending' then
  for _, each in ipairs(whole and redis.call('ZRANGE', waiting, 0, -1) or {id}) do
    set_aside(each)
  end
end

local wait = -1
if redis.call('EXISTS', waiting) == 1 then
  wait = state == 'pending' and delay or 0
  redis.call('ZADD', due, now + wait, lane)
else
  redis.call('ZREM', due, lane)
end
local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if #next == 0 then
  redis.call('ZREM', KEYS[1], queue)
else
  redis.call('ZADD', KEYS[1], next[2], queue)
end
return wait
