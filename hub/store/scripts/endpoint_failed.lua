-- An attempt at an endpoint failed: since when have all, and for how many orders?
--
-- KEYS[1]  oc:{bridges}:failing, a hash of endpoint -> the first failure in a row (Unix ms)
-- KEYS[2]  oc:{bridges}:failing:<endpoint>, a set of orders
-- ARGV     endpoint, order, number of orders that are worth remembering, ms to keep
-- Answers  ms since the first, number of orders.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSETNX', KEYS[1], ARGV[1], now)
if redis.call('SCARD', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('SADD', KEYS[2], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return {now - tonumber(redis.call('HGET', KEYS[1], ARGV[1])), redis.call('SCARD', KEYS[2])}
