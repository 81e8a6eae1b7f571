-- Replace a field of a hash if nobody else has meanwhile.
--
-- KEYS[1]  the hash
-- ARGV     field, its value as it was read, the new one ("": delete)
-- Answers  1, or 0 where the value is another by now.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
