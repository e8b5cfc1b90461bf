package session

import "encoding/json"

// Flash sets a value for this request and the next one, such as the message that a form
// was saved, which the page after the redirect shows.
func (s *Session) Flash(key string, v any) error {
	if err := s.Set(key, v); err != nil {
		return err
	}
	s.setFlash(key, true)
	return nil
}

// Keep lets values that were set by Flash, in the last request, live for one more.
func (s *Session) Keep(keys ...string) {
	for _, key := range keys {
		if kept, ok := s.flash[key]; ok && !kept {
			s.flash[key] = true
			s.changed = true
		}
	}
}

// Reflash is Keep for all of them.
func (s *Session) Reflash() {
	for key := range s.flash {
		s.Keep(key)
	}
}

// setFlash says that a value is one for the next request, or one like the others.
func (s *Session) setFlash(key string, flash bool) {
	if _, was := s.flash[key]; was || flash {
		s.changed = true
	}
	switch {
	case !flash:
		delete(s.flash, key)
	case s.flash == nil:
		s.flash = map[string]bool{key: true}
	default:
		s.flash[key] = true
	}
}

// A document is what is stored. Flash are the keys that live until the next save.
type document struct {
	Values values   `json:"values"`
	Flash  []string `json:"flash,omitempty"`
}

// encode is the document to be stored, nil if there is nothing to keep. What Flash has set in
// the last request is left out.
func (s *Session) encode() ([]byte, error) {
	d := document{Values: make(values, len(s.values))}
	for key, raw := range s.values {
		kept, flash := s.flash[key]
		if flash && !kept {
			continue
		}
		d.Values[key] = raw
		if flash {
			d.Flash = append(d.Flash, key)
		}
	}
	if len(d.Values) == 0 {
		return nil, nil
	}
	return json.Marshal(d)
}

func (s *Session) decode(data []byte) error {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	if d.Values != nil {
		s.values = d.Values
	}
	for _, key := range d.Flash {
		s.setFlash(key, true)
		s.flash[key] = false
	}
	return nil
}
