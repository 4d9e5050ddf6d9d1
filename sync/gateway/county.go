package gateway

import (
	"context"
	"io/fs"

	"bianmin/offline/catalog"
	"bianmin/sync/wire"
)

// LoadCounty sets a county up from its folder, or brings it up to date: settings, stations and operators, and its packs,
// signed by the platform root and published under version (0: one above the newest). set gives what the folder does not
// know; a short host of its own choice wins. Nothing is written when the folder has a fault. It returns the packs.
func (g *Gateway) LoadCounty(ctx context.Context, src fs.FS, version uint32, set Settings) ([]PackRow, error) {
	county, err := catalog.LoadCounty(src)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		held, err := g.Packs(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range held {
			version = max(version, p.Version)
		}
		version++
	}
	packs, err := catalog.BuildCounty(src, version, g.keys.Root)
	if err != nil {
		return nil, err
	}
	set.County, set.Name, set.Telephone = county.Code, county.Name.ZH, county.Telephone
	set.Demo = county.Sample
	if set.ShortHost == "" {
		set.ShortHost = county.ShortHost
	}
	if err := g.SaveSettings(ctx, set); err != nil {
		return nil, err
	}
	for _, s := range county.Stations {
		st := wire.Station{Division: s.Code, Name: s.Name.ZH, Telephone: s.Telephone, County: county.Code}
		var ops []wire.Operator
		for _, o := range s.Operators {
			division := o.Division
			if division == "" {
				division = s.Code
			}
			// In the sample county the first PIN is shown at the login and stays; elsewhere it must be changed.
			ops = append(ops, wire.Operator{
				ID: o.ID, Name: o.Name, Role: o.Role, Division: division, Activation: o.PIN, OneTime: !county.Sample,
			})
		}
		if err := g.PutStation(ctx, st, ops); err != nil {
			return nil, err
		}
	}
	out := make([]PackRow, 0, len(packs))
	for _, p := range packs {
		row, err := g.Publish(ctx, p.Data)
		if err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, nil
}
