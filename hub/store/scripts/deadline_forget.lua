-- Drop a deadline that was claimed, unless it was set anew since.
--
-- KEYS[1]  oc:{p}:deadlines
-- ARGV     member, end of the lease (Unix ms)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 1
