-- Claim deadlines that have come: until the lease ends they are nobody else's.
--
-- KEYS[1]  oc:{p}:deadlines
-- ARGV     now, end of the lease (Unix ms), how many at most
-- Answers the members, the longest due first.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for i = 1, #due do
  redis.call('ZADD', KEYS[1], ARGV[2], due[i])
end
return due
