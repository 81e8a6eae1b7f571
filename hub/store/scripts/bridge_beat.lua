-- A bridge tells that it lives, and learns what all bridges know. By the store's clock alone.
--
-- KEYS[1]  oc:{bridges}:alive   KEYS[2]  oc:{bridges}:circuits   KEYS[3]  oc:{bridges}:failing
-- ARGV     name ("" only asks), ms after which a silent bridge counts as gone, ms after which
--          what nobody has asked for any more is forgotten
-- Answers  the living, pairs of origin and ms until its circuit may be probed, the endpoints
--          that fail.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local long_ago = now - tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end

local open = {}
local circuits = redis.call('HGETALL', KEYS[2])
for i = 1, #circuits, 2 do
  local till, probe = string.match(circuits[i + 1], '^%d+ (%d+) (%d+)$')
  till = tonumber(till)
  if math.max(till, tonumber(probe)) < long_ago then
    redis.call('HDEL', KEYS[2], circuits[i])
  else
    open[#open + 1] = circuits[i]
    open[#open + 1] = math.max(0, till - now)
  end
end

local failing = {}
local since = redis.call('HGETALL', KEYS[3])
for i = 1, #since, 2 do
  if tonumber(since[i + 1]) < long_ago then
    redis.call('HDEL', KEYS[3], since[i])
  else
    failing[#failing + 1] = since[i]
  end
end
return {redis.call('ZRANGE', KEYS[1], 0, -1), open, failing}
