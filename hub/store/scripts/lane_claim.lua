-- Take what is due in a partition: the first delivery of each due lane, for the length of a lease.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     lease (ms), deliveries wanted, room in a queue, room at an origin, nap (ms),
--          number of queues to wake, those queues, then pairs of name and room for queues and
--          origins whose room differs
-- Answers  ms until the next lane is due (-1: never), the queues that held more than there was
--          room for, and the claims: queue, lane, fence, id, attempt, first attempt (ms), off,
--          and the delivery's fields.
-- The fence is the due time that the claim gives the lane. It only ever grows while the lane
-- exists, because a lane is claimed once that time has passed.
local head = string.match(KEYS[1], '^(.-})') .. ':'
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lease, want, nap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])
local queue_room, origin_room = tonumber(ARGV[3]), tonumber(ARGV[4])
local wakes = tonumber(ARGV[6])
for i = 7, 6 + wakes do
  redis.call('ZADD', KEYS[1], 'XX', 'LT', now, ARGV[i])
end
local rooms = {}
for i = 7 + wakes, #ARGV, 2 do
  rooms[ARGV[i]] = tonumber(ARGV[i + 1])
end

local claims, more = {}, {}

-- The first delivery of a lane that still exists, or nil with the lane gone.
local function first_of(lane)
  local key = head .. 'lane:' .. lane
  while true do
    local id = redis.call('ZRANGE', key, 0, 0)[1]
    if not id then
      return nil
    end
    if redis.call('EXISTS', head .. 'delivery:' .. id) == 1 then
      return id
    end
    redis.call('ZREM', key, id)
  end
end

local function claim(queue, lane, id)
  local key = head .. 'delivery:' .. id
  redis.call('HSETNX', key, 'first', now)
  local attempt = redis.call('HINCRBY', key, 'attempts', 1)
  local fields = redis.call('HMGET', key,
    'first', 'order', 'seq', 'event', 'target', 'partner', 'url', 'body')
  local off = 0
  if fields[7] ~= '' then
    off = redis.call('EXISTS', head .. 'off:' .. fields[2])
  end
  return {queue, lane, now + lease, id, attempt, fields[1], off,
    fields[2], fields[3], fields[4], fields[5], fields[6], fields[7], fields[8]}
end

for _, queue in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 256)) do
  if want <= 0 then
    break
  end
  local due = head .. 'due:' .. queue
  local origin = string.match(queue, '^(.-)|') or ''
  local room = math.min(want, rooms[queue] or queue_room)
  if origin ~= '' then
    room = math.min(room, rooms[origin] or origin_room)
  end
  local taken = 0
  if room > 0 then
    for _, lane in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, room)) do
      local id = first_of(lane)
      if id then
        redis.call('ZADD', due, now + lease, lane)
        claims[#claims + 1] = claim(queue, lane, id)
        taken = taken + 1
      else
        redis.call('ZREM', due, lane)
      end
    end
  end
  want = want - taken
  rooms[queue] = (rooms[queue] or queue_room) - taken
  if origin ~= '' then
    rooms[origin] = (rooms[origin] or origin_room) - taken
  end
  local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if #next == 0 then
    redis.call('ZREM', KEYS[1], queue)
  elseif tonumber(next[2]) > now then
    redis.call('ZADD', KEYS[1], next[2], queue)
  elseif want > 0 then
    -- Full: it steps aside so that the queues behind it are seen.
    redis.call('ZADD', KEYS[1], now + nap, queue)
    more[#more + 1] = queue
  end
end

local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = -1
if #next > 0 then
  wait = math.max(0, tonumber(next[2]) - now)
end
return {wait, more, claims}
