-- Move the bridge's cursor over a stretch of the partition's log and enqueue what it brings.
--
-- KEYS[1]  oc:{p}:cursors   KEYS[2]  oc:{p}:queues
-- ARGV     cursor expected ("" for none), new cursor, ms to keep what is set aside,
--          then per delivery: id, order, seq, event, target, queue, partner, url, body, held ("1")
-- Answers 1, or 0 where another bridge has moved the cursor: then nothing was done.
local head = string.match(KEYS[1], '^(.-})') .. ':'
if (redis.call('HGET', KEYS[1], 'bridge') or '') ~= ARGV[1] then
  return 0
end
local keep = tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

for i = 4, #ARGV, 10 do
  local id, order, seq, event, target = unpack(ARGV, i, i + 4)
  local queue, partner, url, body, held = unpack(ARGV, i + 5, i + 9)
  local lane = target .. '|' .. order
  local delivery = head .. 'delivery:' .. id
  if url ~= '' and redis.call('EXISTS', head .. 'off:' .. order) == 1 then
    held = '1'
  end
  redis.call('HSET', delivery, 'order', order, 'seq', seq, 'event', event, 'target', target,
    'queue', queue, 'partner', partner, 'url', url, 'body', body, 'created', now,
    'attempts', 0, 'state', held == '1' and 'held' or 'pending')
  if held == '1' then
    local aside = head .. 'aside:' .. (url == '' and target or lane)
    redis.call('ZADD', aside, now, id)
    redis.call('PEXPIRE', aside, keep)
    redis.call('PEXPIRE', delivery, keep)
  else
    redis.call('ZADD', head .. 'lane:' .. lane, seq, id)
    -- NX: a lane that is out or waits for its retry keeps its time.
    if redis.call('ZADD', head .. 'due:' .. queue, 'NX', now, lane) == 1 then
      redis.call('ZADD', KEYS[2], 'LT', now, queue)
    end
  end
end
redis.call('HSET', KEYS[1], 'bridge', ARGV[2])
return 1
