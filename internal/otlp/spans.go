package otlp

// span writes a Span.
func (x *exporter) span(raw []byte) error {
	var (
		start, end, kind                        uint64
		name, traceID, spanID, parentID, status []byte
	)
	hasEvents := false
	r := openMessage(x.encoding, &spanMessage, raw)
	for r.next() {
		switch r.number {
		case spanTraceID:
			traceID = r.bytes
		case spanSpanID:
			spanID = r.bytes
		case spanParent:
			parentID = r.bytes
		case spanName:
			name = r.bytes
		case spanKind:
			kind = r.bits
		case spanStart:
			start = r.bits
		case spanEnd:
			end = r.bits
		case spanStatus:
			status = r.bytes
		case spanEvents:
			hasEvents = true
		case spanAttributes:
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
	for r.next() {
		switch r.number {
		case eventTime:
			time = r.bits
		case eventName:
			name = r.bytes
		case eventAttributes:
			if err := x.add(r.bytes); err != nil {
				return dst, err
			}
		}
	}
	if r.err != nil {
		return dst, r.err
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
	for r.next() {
		switch r.number {
		case statusCode:
			code = r.bits
		case statusMessage:
			message = r.bytes
		}
	}
	if r.err != nil {
		return dst, r.err
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
