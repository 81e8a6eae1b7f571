-- Put what is left of an order in the place of all that there was.
--
-- KEYS  1 order (hash)  2 events (stream)  3 operations (list)
-- ARGV  1 the rev that was read  2 state (msgpack)
--       3 number of events n, then n pairs of seq and event (JSON), then the operations, newest first
-- Answers 1, or 0 where the order has changed since, or is gone.
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'rev', tonumber(ARGV[1]) + 1, 'state', ARGV[2])

local events = tonumber(ARGV[3])
local ttl = redis.call('PTTL', KEYS[2])
if events > 0 then
  redis.call('DEL', KEYS[2])
  for i = 4, 2 + 2 * events, 2 do
    redis.call('XADD', KEYS[2], ARGV[i] .. '-0', 'e', ARGV[i + 1])
  end
  redis.call('PEXPIRE', KEYS[2], ttl)
end

ttl = redis.call('PTTL', KEYS[3])
if ttl > 0 then
  redis.call('DEL', KEYS[3])
  for i = 4 + 2 * events, #ARGV do
    redis.call('RPUSH', KEYS[3], ARGV[i])
  end
  redis.call('PEXPIRE', KEYS[3], ttl)
end
return 1
