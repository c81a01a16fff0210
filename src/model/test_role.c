/* Folders whose server does not say what they are for, by the names they have. */
#include "model/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *from;                                   /* the language, or who names it so */
	const char *sent, *drafts, *trash, *junk, *archive; /* NULL: not asked */
} NAMES[] = {
	{"Exchange", "Sent Items", "Drafts", "Deleted Items", "Junk E-mail", "Archive"},
	{"Apple", "Sent Messages", "Drafts", "Deleted Messages", "Junk", "Archive"},
	{"Gmail", "Sent Mail", "Drafts", "Bin", "Spam", NULL},
	{"Yahoo", "Sent", "Draft", "Trash", "Bulk Mail", "Archive"},
	{"Thunderbird", "Sent", "Drafts", "Trash", "Junk", "Archives"},
	{"pine, upper case", "SENT-MAIL", "DRAFTS", "TRASH", "SPAM", "ARCHIVE"},
	{"German", "Gesendete Elemente", "Entwürfe", "Gelöschte Elemente", "Junk-E-Mail", "Archiv"},
	{"German, GMX", "Gesendet", "Entwürfe", "Papierkorb", "Spamverdacht", "Archiv"},
	{"German, upper case", "GESENDETE OBJEKTE", "ENTWÜRFE", "GELÖSCHTE OBJEKTE", "UNERWÜNSCHT",
		NULL},
	{"German, decomposed", NULL, "Entwürfe", "Gelöscht", "Unerwünscht", NULL},
	{"French", "Éléments envoyés", "Brouillons", "Éléments supprimés", "Courrier indésirable",
		"Archives"},
	{"French, decomposed", "Éléments envoyés", "Brouillon", "Corbeille", "Pourriel", NULL},
	{"Spanish", "Elementos enviados", "Borradores", "Elementos eliminados", "Correo no deseado",
		"Archivo"},
	{"Italian", "Posta inviata", "Bozze", "Posta eliminata", "Posta indesiderata", "Archivio"},
	{"Portuguese", "Itens enviados", "Rascunhos", "Itens excluídos", "Lixo Eletrônico",
		"Arquivo"},
	{"Dutch", "Verzonden items", "Concepten", "Verwijderde items", "Ongewenste e-mail",
		"Archief"},
	{"Danish", "Sendt post", "Kladder", "Slettet post", "Uønsket e-mail", "Arkiv"},
	{"Swedish", "Skickat", "Utkast", "Borttaget", "Skräppost", "Arkiv"},
	{"Norwegian", "Sendte elementer", "Utkast", "Slettede elementer", "Søppelpost", "Arkiv"},
	{"Finnish", "Lähetetyt", "Luonnokset", "Poistetut", "Roskaposti", "Arkisto"},
	{"Polish", "Elementy wysłane", "Wersje robocze", "Elementy usunięte", "Wiadomości-śmieci",
		"Archiwum"},
	{"Czech", "Odeslaná pošta", "Koncepty", "Odstraněná pošta", "Nevyžádaná pošta", "Archiv"},
	{"Slovak", "Odoslaná pošta", "Koncepty", "Odstránené položky", "Nevyžiadaná pošta",
		"Archív"},
	{"Hungarian", "Elküldött elemek", "Piszkozatok", "Törölt elemek", "Levélszemét",
		"Archívum"},
	{"Romanian", "Elemente trimise", "Ciorne", "Elemente șterse", "E-mail nedorit", "Arhivă"},
	{"Croatian", "Poslane stavke", "Skice", "Izbrisane stavke", "Neželjena pošta", "Arhiva"},
	{"Slovenian", "Poslano", "Osnutki", "Izbrisano", "Neželena e-pošta", "Arhiv"},
	{"Estonian", "Saadetud", "Mustandid", "Kustutatud", "Rämpspost", "Arhiiv"},
	{"Latvian", "Nosūtītie vienumi", "Melnraksti", "Dzēstie vienumi", "Nevēlamais e-pasts",
		"Arhīvs"},
	{"Lithuanian", "Išsiųsti laiškai", "Juodraščiai", "Šiukšliadėžė", "Šlamštas", "Archyvas"},
	{"Russian", "Отправленные", "Черновики", "Удаленные", "Нежелательная почта", "Архив"},
	{"Ukrainian", "Надіслані", "Чернетки", "Видалені", "Небажана пошта", "Архів"},
	{"Bulgarian", "Изпратени", "Чернови", "Изтрити", "Нежелана поща", "Архив"},
	{"Turkish", "Gönderilmiş Öğeler", "Taslaklar", "Silinmiş Öğeler", "İstenmeyen", "Arşiv"},
	{"Greek", "Απεσταλμένα", "Πρόχειρα", "Κάδος", "Ανεπιθύμητη αλληλογραφία", "Αρχειοθήκη"},
	{"Hebrew", "פריטים שנשלחו", "טיוטות", "פריטים שנמחקו", "דואר זבל", "ארכיון"},
	{"Japanese", "送信済みアイテム", "下書き", "削除済みアイテム", "迷惑メール", "アーカイブ"},
	{"Chinese, simplified", "已发送邮件", "草稿", "已删除邮件", "垃圾邮件", "存档"},
	{"Chinese, traditional", "寄件備份", "草稿", "刪除的郵件", "垃圾郵件", "封存"},
	{"Korean", "보낸 편지함", "임시 보관함", "지운 편지함", "정크 메일", "보관"},
};

static void expect(const char *from, const char *name, enum pf_role role)
{
	if (name && pf_role_by_name(name) != role) {
		fail_msg("%s: %s", from, name);
	}
}

static void names_in_many_languages(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		expect(NAMES[i].from, NAMES[i].sent, PF_ROLE_SENT);
		expect(NAMES[i].from, NAMES[i].drafts, PF_ROLE_DRAFTS);
		expect(NAMES[i].from, NAMES[i].trash, PF_ROLE_TRASH);
		expect(NAMES[i].from, NAMES[i].junk, PF_ROLE_JUNK);
		expect(NAMES[i].from, NAMES[i].archive, PF_ROLE_ARCHIVE);
	}
}

static void other_names_say_nothing(void **state)
{
	static const char *const OTHERS[] = {"", " ", "INBOX", "Sent 2019", "Sent ", "Trashcan",
		"Werbung", "Projects", "Junkers", "Archive/2019", "\xff", "Sent\xff"};

	(void)state;
	assert_int_equal(pf_role_by_name(NULL), PF_ROLE_NONE);
	for (size_t i = 0; i < PF_COUNT(OTHERS); i++) {
		assert_int_equal(pf_role_by_name(OTHERS[i]), PF_ROLE_NONE);
	}
}

static void folders_of_others_are_known(void **state)
{
	static const char *const YES[] = {"Calendar", "Kalender", "TÂCHES", "Attività", "Контакты",
		"Επαφές", "予定表", "日历", "Görevler"};
	static const char *const NO[] = {"", "INBOX", "Calendar 2019", "Noted", "Projects", "\xff"};

	(void)state;
	assert_false(pf_is_name_of_others(NULL));
	for (size_t i = 0; i < PF_COUNT(YES); i++) {
		if (!pf_is_name_of_others(YES[i])) {
			fail_msg("%s", YES[i]);
		}
	}
	for (size_t i = 0; i < PF_COUNT(NO); i++) {
		assert_false(pf_is_name_of_others(NO[i]));
	}
}

static void a_role_is_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(pf_role_of_kind(PF_KIND_CALENDAR, "Kalender"), PF_ROLE_CALENDAR);
	assert_int_equal(pf_role_of_kind(PF_KIND_CONTACTS, "KONTAKTE"), PF_ROLE_CONTACTS);
	assert_int_equal(pf_role_of_kind(PF_KIND_TASKS, "Tâches"), PF_ROLE_TASKS);
	assert_int_equal(pf_role_of_kind(PF_KIND_NOTES, "Notes"), PF_ROLE_NOTES);
	assert_int_equal(pf_role_of_kind(PF_KIND_NOTES, "Journal"), PF_ROLE_JOURNAL);
	assert_int_equal(pf_role_of_kind(PF_KIND_CALENDAR, "Tasks"), PF_ROLE_NONE);
	assert_int_equal(pf_role_of_kind(PF_KIND_MAIL, "Calendar"), PF_ROLE_NONE);
	assert_int_equal(pf_role_of_kind(PF_KIND_CALENDAR, "Team calendar"), PF_ROLE_NONE);
	assert_int_equal(pf_role_of_kind(PF_KIND_CALENDAR, NULL), PF_ROLE_NONE);
	assert_int_equal(pf_role_by_name("Calendar"), PF_ROLE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_many_languages),
		cmocka_unit_test(other_names_say_nothing),
		cmocka_unit_test(folders_of_others_are_known),
		cmocka_unit_test(a_role_is_of_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
