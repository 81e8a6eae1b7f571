-- Replace an endpoint's record if nobody else has meanwhile.
--
-- KEYS[1]  oc:endpoints:<partner>
-- ARGV     endpoint id, the record as it was read, the new one ("": delete)
-- Answers  1, or 0 where the record is another by now.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
