-- Write down how an attempt ended, and what follows from it.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     queue, lane, fence, seq, the older seqs that it stood for, state (pending, delivered,
--          dead or held), ms until the next attempt (pending), attempt record ("": none was
--          made), ms to keep what was delivered, ms to keep what is set aside, whole lane ("1"),
--          switch the order's callbacks off ("1"), attempts whose records are kept, whether only
--          the latest is wanted from now on ("1", "0", or "": as before), how many settled
--          deliveries may wait for the warehouse (0: none is noted)
-- Answers  ms until the lane is due again (-1: it is empty), or -2 for a stale fence: then
--          nothing was changed.
local queue, lane, fence, seq, stood_for, state = unpack(ARGV, 1, 6)
local delay, record = tonumber(ARGV[7]), ARGV[8]
local keep_delivered, keep_aside = tonumber(ARGV[9]), tonumber(ARGV[10])
local whole, off, records = ARGV[11] == '1', ARGV[12] == '1', tonumber(ARGV[13])
local due = head .. 'due:' .. queue
if tonumber(redis.call('ZSCORE', due, lane) or -1) ~= tonumber(fence) then
  return -2
end
local target, order = string.match(lane, '^(.-)|(.*)$')
local book = book_of(order)

local it = load(book, target, seq)
if it and record ~= '' then
  local attempt = 'a:' .. target .. ':' .. seq .. ':'
  redis.call('HSET', book, attempt .. it.attempts, record)
  if it.attempts > records then
    redis.call('HDEL', book, attempt .. (it.attempts - records))
  end
elseif it then
  it.attempts = it.attempts - 1
  if it.attempts == it.before then
    it.first = 0
  end
  save(book, target, seq, it)
end
set_latest(book, target, ARGV[14])
if off then
  redis.call('HSET', book, 'off', 1)
end

-- Note for the warehouse that a delivery is settled; what there is no room for is counted.
local room, whose = tonumber(ARGV[15]), nil
local function tell(each, one, attempt)
  if room == 0 then
    return
  end
  local settled = head .. 'settled'
  if redis.call('XLEN', settled) >= room then
    redis.call('INCR', settled .. ':lost')
    return
  end
  whose = whose or redis.call('HMGET', book, 'epoch', 'partner')
  redis.call('XADD', settled, '*', 't', target, 'o', order, 'p', whose[1], 'w', whose[2],
    's', each, 'd', line_of(one), 'a', attempt)
end

-- What the verdict is about: this delivery, those it stood for, or all that waits.
local done = {[tonumber(seq)] = true}
for older in string.gmatch(stood_for, '%d+') do
  done[tonumber(older)] = true
end
local rest = waiting(book, target)
if state ~= 'pending' then
  local left, closed = {}, 0
  for _, each in ipairs(rest) do
    if done[each] or whole then
      local one = each == tonumber(seq) and it or load(book, target, each)
      if state == 'delivered' then
        one.state = each == tonumber(seq) and 'delivered' or 'superseded'
        one.settled = now
        save(book, target, each, one)
      else
        set_aside(book, target, order, each, one, state, keep_aside)
      end
      tell(each, one, each == tonumber(seq) and record or '')
      closed = closed + 1
    else
      left[#left + 1] = each
    end
  end
  rest = left
  set_waiting(book, target, rest)
  count_open(book, -closed, keep_delivered, keep_aside)
end

local wait = -1
if #rest > 0 then
  wait = state == 'pending' and delay or 0
  redis.call('ZADD', due, now + wait, lane)
else
  redis.call('ZREM', due, lane)
end
local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if #next == 0 then
  redis.call('ZREM', queues, queue)
else
  redis.call('ZADD', queues, next[2], queue)
end
return wait
