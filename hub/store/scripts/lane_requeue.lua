-- Send deliveries again that are no longer waiting: a replay, or a recovery.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     states that may be sent again, with spaces around each; then per delivery: order,
--          target, seq
-- Answers  how many wait again. A delivery comes back at its place in the lane; its attempts
--          count from one.
local again = 0

local function place(seqs, seq)
  local at = 1
  while seqs[at] and seqs[at] < seq do
    at = at + 1
  end
  table.insert(seqs, at, seq)
end

for i = 2, #ARGV, 3 do
  local order, target, seq = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local book = book_of(order)
  local it = load(book, target, seq)
  if it and string.find(ARGV[1], ' ' .. it.state .. ' ', 1, true) then
    redis.call('ZREM', shelf_of(book, target, it.state), target .. '|' .. order .. '|' .. seq)
    it.state, it.first, it.settled, it.before = 'pending', 0, 0, it.attempts
    save(book, target, seq, it)
    local seqs = waiting(book, target)
    place(seqs, seq)
    set_waiting(book, target, seqs)
    if string.sub(target, 1, 3) ~= 'ep_' then
      redis.call('HDEL', book, 'off')
    end
    redis.call('HINCRBY', book, 'open', 1)
    redis.call('PERSIST', book)
    schedule(redis.call('HGET', book, 'q:' .. target) or target, target .. '|' .. order)
    again = again + 1
  end
end
return again
