-- A bridge tells that it lives, and learns who else does. By the store's clock alone.
--
-- KEYS[1]  oc:bridges
-- ARGV     name ("" only asks), ms after which a silent bridge counts as gone
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
