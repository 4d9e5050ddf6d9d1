package main

func commands() []command {
	return []command{
		{"init", "[--sample] [--short-host H] [--addr A]", "建立平台：密钥、数据库；--sample 装入示范县", "make a platform: keys and database; --sample loads the sample county", runInit},
		{"serve", "[--addr A] [--ready-file F] [--exit-with-parent]", "运行；就绪后输出一行网址", "serve; prints one line with the URL when ready", runServe},
		{"enroll", "[--station DIVISION | --replaces D] [--valid 72h] [--out F]", "生成一次性登记码", "make a one-time enrolment code", runEnroll},
		{"case list", "[--state S] [--limit N]", "列出办件", "list cases", runCaseList},
		{"case show", "NO", "办件详情", "show one case", runCaseShow},
		{"case accept", "NO", "受理", "accept a case", runCaseAccept},
		{"case refuse", "NO --note N", "不予受理", "refuse a case", runCaseRefuse},
		{"case correct", "NO --field F [--field G] --note N [--officer O] [--phone P] [--basis B]", "补正告知", "ask for a correction", runCaseCorrect},
		{"case process", "NO [--note N]", "转入办理", "move a case into the procedure", runCaseProcess},
		{"case decide", "NO --granted|--denied|--returned|--void [--note N]", "办结", "close a case", runCaseDecide},
		{"case deliver", "NO [--note N]", "送达", "the result was handed over", runCaseDeliver},
		{"case rebuild", "", "由数据包和事件重建办件", "make all cases again from packets and events", runCaseRebuild},
		{"import", "MIRROR…", "收取已损坏机器的镜像（文件或目录）", "take the mirror of a dead machine (files or a folder)", runImport},
		{"journal list", "--device D", "列出设备日志：序号、类别、哈希", "list a device's records: seq, kind, hash", runJournalList},
		{"journal branches", "[--device D]", "列出分叉的日志和接续的设备", "list forked journals, and the devices that go on for them", runJournalBranches},
		{"journal verify", "", "核对全部日志", "verify all journals", runJournalVerify},
		{"key list", "", "列出平台和设备的密钥", "list the platform's and the devices' keys", runKeyList},
		{"key revoke", "--device D [--reason R]", "停用设备密钥", "withdraw a device", runKeyRevoke},
		{"key export", "--device D | --platform | --root", "导出公钥（PEM）", "export a public key (PEM)", runKeyExport},
		{"verify", "LINK", "核验回执", "verify a receipt", runVerify},
		{"pack publish", "DIR|FILE [--version N]", "发布县级资料包", "publish a county's packs", runPackPublish},
		{"pack list", "", "列出资料包", "list the packs in force", runPackList},
		{"station list", "", "列出服务站", "list stations", runStationList},
		{"version", "", "版本", "version", runVersion},
	}
}
