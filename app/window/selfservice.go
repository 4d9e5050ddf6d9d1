package window

import (
	"bianmin/app/screen"
	"bianmin/app/vm"
)

func scanPage() *page {
	return &page{
		model: func(*Shell, string) (any, error) { return struct{}{}, nil },
		view:  func(s *Shell, _ any) screen.View { return screen.NewScan(s.env) },
	}
}

func progressPage() *page {
	return &page{
		model: func(s *Shell, arg string) (any, error) {
			return vm.NewProgress(s, s.machine.Counter, s.session, arg), nil
		},
		view: as(func(s *Shell, m *vm.Progress) screen.View { return screen.NewProgress(s.env, m) }),
	}
}

// openScan is the tile 扫码查进度: the page that says how, and at once the camera, where there is one.
func (s *Shell) openScan() {
	s.Go(screen.Route{Page: screen.PageScan})
	if s.env.Devices != nil && s.env.Devices.Camera() {
		s.scanByCamera()
	}
}

// camera returns the id of the camera in use: the one of the settings, and at a self-service machine, where nobody has chosen
// one, the first that is there. "" is none.
func (s *Shell) camera() string {
	if s.keep.Camera != "" || !s.o.Kiosk {
		return s.keep.Camera
	}
	if all := s.cameras(); len(all) > 0 {
		return all[0].ID()
	}
	return ""
}
