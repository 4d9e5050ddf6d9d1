package gateway

import (
	"context"
	"io/fs"
	"slices"

	"bianmin/offline/catalog"
	"bianmin/sync/wire"
)

// LoadCounty sets a county up from its folder: settings, stations and operators, and its packs, signed by the platform
// root and published. set gives what the folder does not know (address; a short host of its own choice wins).
func (g *Gateway) LoadCounty(ctx context.Context, src fs.FS, version uint32, set Settings) error {
	county, err := catalog.LoadCounty(src)
	if err != nil {
		return err
	}
	packs, err := catalog.BuildCounty(src, version, g.keys.Root)
	if err != nil {
		return err
	}
	set.County, set.Name, set.Telephone = county.Code, county.Name.ZH, county.Telephone
	set.Demo = county.Sample
	if set.ShortHost == "" {
		set.ShortHost = county.ShortHost
	}
	if err := g.SaveSettings(ctx, set); err != nil {
		return err
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
			return err
		}
	}
	return g.publishBuilt(ctx, packs)
}

func (g *Gateway) publishBuilt(ctx context.Context, packs []catalog.Built) error {
	for _, p := range packs {
		if _, err := g.Publish(ctx, p.Data); err != nil {
			return err
		}
	}
	return nil
}

// PublishFolder builds the packs of a county's folder and publishes them. version 0 means one above the newest.
func (g *Gateway) PublishFolder(ctx context.Context, src fs.FS, version uint32) ([]PackRow, error) {
	held, err := g.Packs(ctx)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		for _, p := range held {
			version = max(version, p.Version)
		}
		version++
	}
	packs, err := catalog.BuildCounty(src, version, g.keys.Root)
	if err != nil {
		return nil, err
	}
	if err := g.publishBuilt(ctx, packs); err != nil {
		return nil, err
	}
	out, err := g.Packs(ctx)
	out = slices.DeleteFunc(out, func(p PackRow) bool { return p.Version != version })
	return out, err
}
