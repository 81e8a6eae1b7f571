-- How the webhooks of a partition stand.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     now (Unix ms), then names: of endpoints, and of partners for their orders' callbacks
-- Answers  four numbers for the callbacks' lanes together (the latter two always 0), then four for
--          each name: lanes that wait, of them those that are out or wait for a retry, dead
--          deliveries, held ones.
local head, after = string.match(KEYS[1], '^(.-})') .. ':', '(' .. ARGV[1]
local found = {0, 0, 0, 0}

for _, queue in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(queue, 1, 3) ~= 'ep_' then
    found[1] = found[1] + redis.call('ZCARD', head .. 'due:' .. queue)
    found[2] = found[2] + redis.call('ZCOUNT', head .. 'due:' .. queue, after, '+inf')
  end
end

for i = 2, #ARGV do
  found[#found + 1] = redis.call('ZCARD', head .. 'due:' .. ARGV[i])
  found[#found + 1] = redis.call('ZCOUNT', head .. 'due:' .. ARGV[i], after, '+inf')
  found[#found + 1] = redis.call('ZCARD', head .. 'dead:' .. ARGV[i])
  found[#found + 1] = redis.call('ZCARD', head .. 'held:' .. ARGV[i])
end
return found
