package web

// HeaderMap are all header fields in the form of net/http's Header: for each canonical name
// the values in their order. It is a copy, made by each call; Header and HeaderValues cost
// less where few fields matter.
func (r *Request) HeaderMap() map[string][]string { return fieldMap(r.head, r.fields) }

// TrailerMap is HeaderMap for the trailer fields, nil if there are none.
func (r *Request) TrailerMap() map[string][]string {
	if len(r.trailers) == 0 {
		return nil
	}
	return fieldMap(r.trailer, r.trailers)
}

// fieldMap copies the text once; names and values are parts of the copy, and the values
// that are alone share one array.
func fieldMap(text []byte, fields []field) map[string][]string {
	m := make(map[string][]string, len(fields))
	if len(fields) == 0 {
		return m
	}
	start := fields[0].name.start
	all := string(text[start:fields[len(fields)-1].value.end])
	values := make([]string, len(fields))
	for i, f := range fields {
		name := canonical(all[f.name.start-start : f.name.end-start])
		values[i] = all[f.value.start-start : f.value.end-start]
		if before := m[name]; before != nil {
			m[name] = append(before, values[i])
		} else {
			m[name] = values[i : i+1 : i+1]
		}
	}
	return m
}
