-- Register an endpoint, unless the partner has enough of them.
--
-- KEYS[1]  oc:endpoints:<partner>
-- ARGV     endpoint id, record, how many there may be
-- Answers  1, or 0 where there are so many already.
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
