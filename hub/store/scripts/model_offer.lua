-- Put a trained model in the place of one that has learned from earlier orders only.
--
-- KEYS[1]  oc:{eta}:trained
-- ARGV     until when it has learned, the model, when the next is due
-- Answers 1 where it was put there.
local until_now = redis.call('HGET', KEYS[1], 'until')
if until_now and tonumber(until_now) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'until', ARGV[1], 'model', ARGV[2], 'due', ARGV[3])
return 1
