package otlp

// logRecord writes a LogRecord.
func (x *exporter) logRecord(raw []byte) error {
	var (
		time, severity                     uint64
		text, event, traceID, spanID, body []byte
		hasBody                            bool
	)
	r := openMessage(x.encoding, &logMessage, raw)
	for r.next() {
		switch r.number {
		case logTime:
			time = r.bits
		case logSeverity:
			severity = r.bits
		case logSeverityText:
			text = r.bytes
		case logBody:
			body, hasBody = r.bytes, true
		case logTraceID:
			traceID = r.bytes
		case logSpanID:
			spanID = r.bytes
		case logEvent:
			event = r.bytes
		case logAttributes:
			if err := x.add(r.bytes); err != nil {
				return err
			}
		}
	}
	if r.err != nil {
		return r.err
	}
	dst, err := x.attributes(x.record[:0])
	if err != nil {
		return err
	}
	if hasBody {
		if dst, err = x.body(dst, body); err != nil {
			return err
		}
	}
	dst = appendText(dst, "event", event)
	dst = append(append(dst, x.resource...), x.scope...)
	dst = appendEnum(dst, "severity", severity)
	dst = appendText(dst, "severity_text", text)
	dst = appendID(dst, "span_id", spanID, spanIDBytes)
	dst = appendNumber(dst, "time", time)
	dst = appendID(dst, "trace_id", traceID, traceIDBytes)
	x.record = closeObject(dst, 0)
	return nil
}

// body appends the body, unless it has no type: some senders write an empty one where there is none.
func (x *exporter) body(dst, raw []byte) ([]byte, error) {
	v, err := x.last(raw)
	if err != nil || v.number == 0 {
		return dst, err
	}
	return x.value(appendName(dst, "body"), raw, 0)
}
