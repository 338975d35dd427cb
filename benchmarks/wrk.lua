-- Makes wrk.py's requests: they come as arguments, and the results go out as JSON.

function init(arguments)
   wrk.method = arguments[1]
   if arguments[2] ~= "" then
      wrk.body = arguments[2]
   end
end

function done(summary)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %f, "errors": %d}\n',
      summary.requests, summary.duration / 1e6,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout
   ))
end
