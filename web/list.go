package web

// HeaderList is the list that the header fields of that name are together, in their order
// and joined by ", " (RFC 9110, section 5.3); "" if there is none. For a field that may come
// once only it is no valid value if it came twice.
func (r *Request) HeaderList(name string) string { return string(r.headerList(name)) }

// headerList stays out of HeaderList, so that HeaderList can be inlined and its copy kept off
// the heap. It copies nothing unless there are several fields.
//
//go:noinline
func (r *Request) headerList(name string) (list []byte) {
	count := 0
	for _, f := range r.fields {
		if !equalFold(r.view(f.name), name) {
			continue
		}
		value := r.view(f.value)
		if count++; count == 1 {
			list = value
			continue
		}
		// Clipped, so that the head behind the first value stays as it is.
		list = append(append(list[:len(list):len(list)], ", "...), value...)
	}
	return list
}
