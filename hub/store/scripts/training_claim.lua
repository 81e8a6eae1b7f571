-- Claim the training that is due, if it is.
--
-- KEYS[1]  oc:{eta}:trained
-- ARGV     now, when the first is due, when one that is claimed now may be claimed again
-- Answers 1 where it was claimed.
local due = redis.call('HGET', KEYS[1], 'due')
if not due then
  redis.call('HSET', KEYS[1], 'due', ARGV[2])
  return 0
end
if tonumber(ARGV[1]) < tonumber(due) then
  return 0
end
redis.call('HSET', KEYS[1], 'due', ARGV[3])
return 1
