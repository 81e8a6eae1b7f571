-- Erase what an order's webhooks tell of its customer; see hub/store/lanes.py for a book.
--
-- KEYS  1 book (hash)
-- ARGV  pairs of a field and what it holds from now on
-- Answers how many deliveries wait. While any does, the URL that it goes to stays.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
for i = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
local open = tonumber(redis.call('HGET', KEYS[1], 'open') or '0')
if open <= 0 then
  redis.call('HSET', KEYS[1], 'url', '')
end
return math.max(0, open)
