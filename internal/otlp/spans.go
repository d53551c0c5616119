package otlp

// span writes a Span.
func (x *exporter) span(raw []byte) error {
	var (
		start, end, kind                        uint64
		name, traceID, spanID, parentID, status []byte
	)
	hasEvents := false
	r := openMessage(x.encoding, &spanMessage, raw)
	for done := false; !done; {
		f, err := r.next()
		if err != nil {
			return err
		}
		switch f.number {
		case spanTraceID:
			traceID = f.bytes
		case spanSpanID:
			spanID = f.bytes
		case spanParent:
			parentID = f.bytes
		case spanName:
			name = f.bytes
		case spanKind:
			kind = f.bits
		case spanStart:
			start = f.bits
		case spanEnd:
			end = f.bits
		case spanStatus:
			status = f.bytes
		case spanEvents:
			hasEvents = true
		case spanAttributes:
			if err := x.add(f.bytes); err != nil {
				return err
			}
		default:
			done = true
		}
	}
	dst, err := x.attributes(x.record[:0])
	if err != nil {
		return err
	}
	if start != 0 && end >= start { // clocks that went backwards measure nothing
		dst = appendCount(dst, "duration_ns", end-start)
	}
	dst = appendNumber(dst, "end_time", end)
	if hasEvents {
		if dst, err = x.events(dst, raw); err != nil {
			return err
		}
	}
	dst = appendEnum(dst, "kind", kind)
	dst = appendText(dst, "name", name)
	dst = appendID(dst, "parent_span_id", parentID, spanIDBytes)
	dst = append(append(dst, x.resource...), x.scope...)
	dst = appendID(dst, "span_id", spanID, spanIDBytes)
	if dst, err = x.status(dst, status); err != nil {
		return err
	}
	dst = appendNumber(dst, "time", start)
	dst = appendID(dst, "trace_id", traceID, traceIDBytes)
	x.record = closeObject(dst, 0)
	return nil
}

// events appends the events of a span, in a pass of their own, so that only what one of them holds is in memory.
func (x *exporter) events(dst, span []byte) ([]byte, error) {
	dst = append(appendName(dst, "events"), '[')
	err := x.all(&spanMessage, span, spanEvents, func(raw []byte) (err error) {
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		dst, err = x.event(dst, raw)
		return err
	})
	return append(dst, ']'), err
}

func (x *exporter) event(dst, raw []byte) ([]byte, error) {
	var (
		time uint64
		name []byte
	)
	at := len(dst)
	r := openMessage(x.encoding, &eventMessage, raw)
	for done := false; !done; {
		f, err := r.next()
		if err != nil {
			return dst, err
		}
		switch f.number {
		case eventTime:
			time = f.bits
		case eventName:
			name = f.bytes
		case eventAttributes:
			if err := x.add(f.bytes); err != nil {
				return dst, err
			}
		default:
			done = true
		}
	}
	dst, err := x.attributes(dst)
	if err != nil {
		return dst, err
	}
	dst = appendText(dst, "name", name)
	dst = appendNumber(dst, "time", time)
	return closeObject(dst, at), nil
}

func (x *exporter) status(dst, raw []byte) ([]byte, error) {
	var (
		code    uint64
		message []byte
	)
	r := openMessage(x.encoding, &statusSchema, raw)
	for done := false; !done; {
		f, err := r.next()
		if err != nil {
			return dst, err
		}
		switch f.number {
		case statusCode:
			code = f.bits
		case statusMessage:
			message = f.bytes
		default:
			done = true
		}
	}
	if int32(code) == 0 && len(message) == 0 {
		return dst, nil
	}
	dst = appendName(dst, "status")
	at := len(dst)
	dst = appendEnum(dst, "code", code)
	dst = appendText(dst, "message", message)
	return closeObject(dst, at), nil
}
