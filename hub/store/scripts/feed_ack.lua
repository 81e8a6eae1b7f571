-- A partner has done with all of its feed up to a cursor.
--
-- KEYS[1]  oc:{f:<partner>}:acked   KEYS[2]  oc:{f:<partner>}:feed
-- ARGV     cursor
-- Answers  where the acknowledgement stands: it never goes back, nor past the feed's end.
local function numbers(cursor)
  local first, second = string.match(cursor, '^(%d+)-(%d+)$')
  return tonumber(first), tonumber(second)
end

local function after(one, other)
  local a, b = numbers(one)
  local c, d = numbers(other)
  return a > c or (a == c and b > d)
end

local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local stands = redis.call('GET', KEYS[1]) or '0-0'
local cursor = ARGV[1]
if last and after(cursor, last[1]) then
  cursor = last[1]
end
if last and after(cursor, stands) then
  stands = cursor
end
redis.call('SET', KEYS[1], stands)
return stands
