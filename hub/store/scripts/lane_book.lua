-- What all scripts of the webhooks' lanes begin with. See hub/store/lanes.py for the keys.
--
-- KEYS[1] is `oc:{p}:queues`, from which all others are made.
local head = string.match(KEYS[1], '^(.-})') .. ':'
local queues = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function book_of(order)
  return head .. 'book:' .. order
end

local function numbers(text)
  local found = {}
  for number in string.gmatch(text or '', '%d+') do
    found[#found + 1] = tonumber(number)
  end
  return found
end

-- The seqs that wait in a lane, ascending.
local function waiting(book, target)
  return numbers(redis.call('HGET', book, 'w:' .. target))
end

local function set_waiting(book, target, seqs)
  if #seqs == 0 then
    redis.call('HDEL', book, 'w:' .. target)
  else
    redis.call('HSET', book, 'w:' .. target, table.concat(seqs, ' '))
  end
end

-- Whether only the latest of a target is wanted: "1", "0", or "" for as before.
local function set_latest(book, target, latest)
  if latest == '1' then
    redis.call('HSET', book, 'm:' .. target, 1)
  elseif latest == '0' then
    redis.call('HDEL', book, 'm:' .. target)
  end
end

-- What is known of a delivery; nil where there is none.
local function load(book, target, seq)
  local text = redis.call('HGET', book, 'd:' .. target .. ':' .. seq)
  if not text then
    return nil
  end
  local state, created, first, settled, attempts, before =
    string.match(text, '^(%a+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  return {state = state, created = tonumber(created), first = tonumber(first),
    settled = tonumber(settled), attempts = tonumber(attempts), before = tonumber(before)}
end

local function line_of(it)
  return string.format('%s %.0f %.0f %.0f %d %d',
    it.state, it.created, it.first, it.settled, it.attempts, it.before)
end

local function save(book, target, seq, it)
  redis.call('HSET', book, 'd:' .. target .. ':' .. seq, line_of(it))
end

-- A lane that is out, or waits for its retry, keeps its time.
local function schedule(queue, lane)
  if redis.call('ZADD', head .. 'due:' .. queue, 'NX', now, lane) == 1 then
    redis.call('ZADD', queues, 'LT', now, queue)
  end
end

-- Where the dead or held ones of a target are listed: a callback's with its partner.
local function shelf_of(book, target, state)
  if string.sub(target, 1, 3) == 'ep_' then
    return head .. state .. ':' .. target
  end
  return head .. state .. ':' .. redis.call('HGET', book, 'partner')
end

local function set_aside(book, target, order, seq, it, state, keep)
  it.state, it.settled = state, now
  save(book, target, seq, it)
  local shelf = shelf_of(book, target, state)
  redis.call('ZADD', shelf, it.created, target .. '|' .. order .. '|' .. seq)
  redis.call('PEXPIRE', shelf, 2 * keep)
  redis.call('HSET', book, 'aside', 1)
end

-- `change` more deliveries of the book wait; when none does any more, its days are counted.
local function count_open(book, change, keep_delivered, keep_aside)
  local open = redis.call('HINCRBY', book, 'open', change)
  if open > 0 then
    if change >= open then  -- it was nothing before
      redis.call('PERSIST', book)
    end
  else
    local aside = redis.call('HEXISTS', book, 'aside') == 1
    redis.call('PEXPIRE', book, aside and math.max(keep_aside, keep_delivered) or keep_delivered)
  end
end
