-- Write the model anew, unless somebody else has.
--
-- KEYS[1]  oc:{eta}:model
-- ARGV     the version that is known (0 for none), the model
-- Answers the new version, or 0.
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'model', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
