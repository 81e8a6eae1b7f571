-- Send deliveries again that are no longer waiting: a replay, or a recovery.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     states that may be sent again, with spaces around each; whether only the latest is
--          wanted ("1", "0"); then per delivery: order, target, seq
-- Answers  how many wait again. A delivery comes back at its place in the lane, which is due at
--          once unless it is out; its attempts count from one.
local again = 0

local function place(seqs, seq)
  local at = 1
  while seqs[at] and seqs[at] < seq do
    at = at + 1
  end
  table.insert(seqs, at, seq)
end

-- Whether one of them was begun, and how it ended was not written down yet.
local function is_out(book, target, seqs)
  for _, seq in ipairs(seqs) do
    local it = load(book, target, seq)
    local record = 'a:' .. target .. ':' .. seq .. ':' .. it.attempts
    if it.attempts > it.before and redis.call('HEXISTS', book, record) == 0 then
      return true
    end
  end
  return false
end

for i = 3, #ARGV, 3 do
  local order, target, seq = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local lane, book = target .. '|' .. order, book_of(order)
  local it = load(book, target, seq)
  if it and string.find(ARGV[1], ' ' .. it.state .. ' ', 1, true) then
    local queue, seqs = redis.call('HGET', book, 'q:' .. target) or target, waiting(book, target)
    if not is_out(book, target, seqs) then
      redis.call('ZREM', head .. 'due:' .. queue, lane)
    end
    schedule(queue, lane)
    redis.call('ZREM', shelf_of(book, target, it.state), lane .. '|' .. seq)
    it.state, it.first, it.settled, it.before = 'pending', 0, 0, it.attempts
    save(book, target, seq, it)
    place(seqs, seq)
    set_waiting(book, target, seqs)
    if string.sub(target, 1, 3) == 'ep_' then
      set_latest(book, target, ARGV[2])
    else
      redis.call('HDEL', book, 'off')
    end
    redis.call('HINCRBY', book, 'open', 1)
    redis.call('PERSIST', book)
    again = again + 1
  elseif not it then
    for _, state in ipairs({'dead', 'held'}) do
      redis.call('ZREM', head .. state .. ':' .. target, lane .. '|' .. seq)
    end
  end
end
return again
