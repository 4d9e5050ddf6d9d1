package screen

import (
	"context"
	"slices"
	"testing"

	"bianmin/app/device/photocheck"
	"bianmin/app/vm"
	"bianmin/offline/form"
)

// TestPhotosAreComparedWithTheNumberAsItIsNow changes the typed ID number after the card was photographed.
func TestPhotosAreComparedWithTheNumberAsItIsNow(t *testing.T) {
	const onCard, other = "999999194102030021", "999999194404180623"
	r := newWizardRig(t)
	r.start("gaoling", "")
	asked := 0
	r.w.vm.CheckPhotos(func(_ context.Context, _ []byte, p photocheck.Paper) []photocheck.Fault {
		asked++
		if p.Number != "" && p.Number != onCard {
			return []photocheck.Fault{photocheck.Number}
		}
		return nil
	})
	fill := func(number string) {
		for path, v := range map[form.Path]string{"name": "刘玉珍", "idno": number, "hukou": "999999101201", "hukouAddress": "清河镇柳树村1组3号", "sameHome": "true"} {
			r.w.vm.Set(path, v)
		}
	}
	fill(onCard)
	r.must(form.StepDetails)
	for path, v := range map[form.Path]string{
		"applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001", "way": "self", "bank": "103", "bankcard": "6299990020000079196",
	} {
		r.w.vm.Set(path, v)
	}
	r.must(form.StepMaterials)
	for _, path := range []form.Path{"idcardPhoto", "hukouBook"} {
		r.picks = append(r.picks, wizardPick{"a.png", wizardPicture(t, 300, 200)})
		r.pick(path, "选择文件")
	}
	r.w.vm.OnOnePage("idcardPhoto")
	faults := func() bool {
		return slices.ContainsFunc(r.w.vm.State().Problems, func(p vm.WizardProblem) bool { return p.Path == "idcardPhoto" })
	}
	r.must(vm.StepReview)
	before := asked
	r.w.vm.Edit("elder")
	fill(other)
	if asked != before {
		t.Error("it is compared while it may still be typed")
	}
	r.w.update()
	r.must(vm.StepReview)
	r.next() // wants to sign
	if asked == before || !faults() || r.w.state.ID != vm.StepReview {
		t.Errorf("another number than the photographed one goes through: compared %d times, %+v", asked-before, r.w.vm.State().Problems)
	}
	r.w.vm.Edit("elder")
	fill(onCard)
	r.must(vm.StepReview)
	r.must(form.StepSignature)
	if faults() {
		t.Errorf("the right number, and still %+v", r.w.vm.State().Problems)
	}
}
