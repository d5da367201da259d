-- Every request says something else, as those of different clients do. The report is that of wrk-report.lua.
local directory = debug.getinfo(1, 'S').source:sub(2):match('^(.*/)')
dofile(directory .. 'wrk-report.lua')

local before, behind
local count = 0

function init()
  wrk.headers['User-Agent'] = 'wrk-COUNT'
  before, behind = wrk.format():match('^(.*)COUNT(.*)$')
end

function request()
  count = count + 1
  return before .. count .. behind
end
