-- Read an order, and the events after a place in its stream, as of one moment.
--
-- KEYS  1 order (hash)  2 events (stream)  3 position (string)  4 trail (string)
-- ARGV  1 epoch and 2 seq of the place ("" and -1: no events wanted)
-- Answers {rev, state, position, trail, events}, or nothing where there is no such order.
-- `events` is empty for another epoch.

local order = redis.call('HMGET', KEYS[1], 'rev', 'state', 'epoch', 'seq')
if not order[1] then
  return nil
end
local events = {}
local after = tonumber(ARGV[2])
if after >= 0 and ARGV[1] == order[3] and after < tonumber(order[4]) then
  local first = string.format('%d-0', after + 1)
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], first, '+')) do
    events[#events + 1] = entry[2][2]
  end
end
return {tonumber(order[1]), order[2], redis.call('GET', KEYS[3]) or '',
  redis.call('GET', KEYS[4]) or '', events}
