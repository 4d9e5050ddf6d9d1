package demo

import (
	"path/filepath"
	"testing"

	"bianmin/app/device/camera"
	"bianmin/app/device/photocheck"
)

// The camera of the sample county sees papers that are taken without a complaint.
func TestSamplePapersPassTheChecks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "papers")
	for range 2 { // a second start finds them
		if err := Papers(dir); err != nil {
			t.Fatal(err)
		}
	}
	c := &camera.Files{Dir: dir}
	s, err := c.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := range 2 {
		raw, err := s.Still(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if faults := photocheck.Judge(t.Context(), raw, photocheck.Paper{Camera: true}, photocheck.OCR{}); len(faults) > 0 {
			t.Errorf("page %d: %v", n+1, faults)
		}
	}
}
