#include "model/role.h"

#include "base/utf8.h"

#include <stdlib.h>

struct names {
	enum pf_role role;
	const char *const *names;
};

/*
 * Names that servers and mail programs give such folders by themselves; none that only a person
 * would give, as what is taken for trash or junk may be cleared away at the target. All are
 * case-folded as pf_utf8_fold does it (no final sigma), so that only the name that is asked for
 * need be folded.
 */
static const char *const SENT[] = {"sent", "sent items", "sent messages", "sent mail", "sent-mail",
	"gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten",
	"postausgang gesendet", "envoyés", "éléments envoyés", "messages envoyés", "objets envoyés",
	"courrier envoyé", "enviados", "elementos enviados", "mensajes enviados", "itens enviados",
	"mensagens enviadas", "inviati", "posta inviata", "messaggi inviati", "elementi inviati",
	"verzonden", "verzonden items", "verzonden berichten", "verzonden objecten", "sendt",
	"sendte elementer", "sendt post", "skickat", "skickade objekt", "skickade meddelanden",
	"lähetetyt", "lähetetyt kohteet", "wysłane", "elementy wysłane", "odeslané",
	"odeslaná pošta", "odoslané", "odoslaná pošta", "elküldött", "elküldött elemek",
	"elküldött üzenetek", "trimise", "elemente trimise", "mesaje trimise", "отправленные",
	"надіслані", "надіслане", "gönderilmiş öğeler", "gönderilenler", "gönderilmiş postalar",
	"απεσταλμένα", "στοιχεία απεσταλμένων", "送信済み", "送信済みアイテム", "送信済みメール",
	"已发送", "已发送邮件", "已傳送郵件", "寄件備份", "보낸 편지함", "보낸메일함",
	"elements enviats", "poslane stavke", "poslano", "изпратени", "saadetud", "nosūtītie",
	"nosūtītie vienumi", "išsiųsti", "išsiųsti laiškai", "פריטים שנשלחו", "דואר שנשלח",
	"العناصر المرسلة", "البريد المرسل", "รายการที่ถูกส่ง", "thư đã gửi", "courriels envoyés",
	"correo enviado", "enviadas", "posta enviada", "sendte e-mails", "skickade", "lähetetty",
	"изпратена поща", "sent email", "寄件匣", "已发邮件", "已發送", NULL};
static const char *const DRAFTS[] = {"drafts", "draft", "entwürfe", "entwurf", "brouillons",
	"brouillon", "borradores", "borrador", "rascunhos", "bozze", "concepten", "kladder",
	"utkast", "luonnokset", "kopie robocze", "szkice", "wersje robocze", "koncepty",
	"rozepsané", "piszkozatok", "ciorne", "schițe", "черновики", "чернетки", "taslaklar",
	"πρόχειρα", "下書き", "草稿", "草稿箱", "草稿匣", "임시 보관함", "임시보관함", "esborranys",
	"nacrti", "skice", "osnutki", "чернови", "mustandid", "melnraksti", "juodraščiai", "טיוטות",
	"المسودات", "مسودات", "แบบร่าง", "thư nháp", "návrhy", "ontwerpen", "udkast", "vázlatok",
	"mesaje nefinalizate", NULL};
static const char *const TRASH[] = {"trash", "deleted items", "deleted messages", "deleted", "bin",
	"papierkorb", "gelöschte objekte", "gelöschte elemente", "gelöscht", "corbeille",
	"éléments supprimés", "messages supprimés", "papelera", "papelera de reciclaje",
	"elementos eliminados", "lixeira", "lixo", "itens excluídos", "itens eliminados", "cestino",
	"posta eliminata", "elementi eliminati", "prullenbak", "verwijderde items", "verwijderd",
	"papirkurv", "slettet post", "slettede elementer", "papperskorg", "papperskorgen",
	"borttaget", "borttagna objekt", "roskakori", "poistetut", "kosz", "elementy usunięte",
	"koš", "odstraněná pošta", "kôš", "odstránené položky", "kuka", "lomtár", "törölt elemek",
	"coș de gunoi", "gunoi", "elemente șterse", "корзина", "удаленные", "удалённые", "кошик",
	"видалені", "çöp kutusu", "çöp", "silinmiş öğeler", "κάδοσ", "διαγραμμένα", "ゴミ箱",
	"削除済みアイテム", "已删除", "已删除邮件", "垃圾桶", "刪除的郵件", "휴지통", "지운 편지함",
	"elements suprimits", "paperera", "izbrisane stavke", "smeće", "izbrisano", "smetnjak",
	"изтрити", "кошче", "kustutatud", "prügikast", "dzēstie vienumi", "miskaste", "panaikinti",
	"šiukšliadėžė", "פריטים שנמחקו", "אשפה", "العناصر المحذوفة", "المهملات", "รายการที่ถูกลบ",
	"ถังขยะ", "thùng rác", "poubelle", "elementi cestinati", "elementos borrados",
	"itens apagados", "eliminados", "eliminata", "slettede", "odpadky", "vymazané",
	"удаленные сообщения", "silinenler", "απορρίμματα", "διαγραμμένα στοιχεία", "垃圾箱",
	"刪除的項目", "삭제된 항목", NULL};
static const char *const JUNK[] = {"junk", "spam", "junk mail", "junk e-mail", "junk email",
	"bulk mail", "bulk", "spamverdacht", "unerwünscht", "junk-e-mail", "courrier indésirable",
	"indésirables", "pourriel", "correo no deseado", "no deseado", "lixo eletrônico",
	"lixo eletrónico", "posta indesiderata", "indesiderata", "ongewenste e-mail", "ongewenst",
	"uønsket e-mail", "uønsket", "søppelpost", "skräppost", "roskaposti", "niechciane",
	"wiadomości-śmieci", "nevyžádaná pošta", "nevyžiadaná pošta", "levélszemét", "спам",
	"нежелательная почта", "небажана пошта", "i̇stenmeyen", "istenmeyen", "gereksiz e-posta",
	"önemsiz e-posta", "ανεπιθύμητα", "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸",
	"스팸 메일함", "정크 메일", "spam-verdacht", "junkmail", "correo electrónico no deseado",
	"correu brossa", "e-mail de lixo", "correio eletrónico não solicitado", "pourriels",
	"uønsket mail", "mesaje nedorite", "e-mail nedorit", "neželena pošta", "neželena e-pošta",
	"bezvrijedna pošta", "neželjena pošta", "нежелана поща", "rämpspost", "nevēlamais e-pasts",
	"nepageidaujamas el. paštas", "šlamštas", "דואר זבל", "ספאם", "البريد العشوائي",
	"البريد غير الهام", "อีเมลขยะ", "thư rác", "небажане", "ανεπιθύμητη αλληλογραφία",
	"迷惑メール フォルダー", "spamy", "스팸메일함", NULL};
static const char *const ARCHIVE[] = {"archive", "archives", "archived", "archiv", "archivo",
	"arquivo", "archivio", "archief", "arkiv", "arkisto", "archiwum", "archív", "archívum",
	"arhivă", "архив", "архів", "arşiv", "αρχειοθήκη", "アーカイブ", "存档", "归档", "封存",
	"보관", "arxiu", "arhiva", "arhiv", "архива", "arhiiv", "arhīvs", "archyvas", "ארכיון",
	"الأرشيف", "أرشيف", "ที่เก็บถาวร", "lưu trữ", "보관함", "存檔", "archivado", "archivés",
	"arquivados", NULL};

static const struct names ROLES[] = {
	{PF_ROLE_SENT, SENT},
	{PF_ROLE_DRAFTS, DRAFTS},
	{PF_ROLE_TRASH, TRASH},
	{PF_ROLE_JUNK, JUNK},
	{PF_ROLE_ARCHIVE, ARCHIVE},
};

/* By the languages of Exchange; folded as above. */
static const char *const CALENDAR[] = {"calendar", "kalender", "calendrier", "calendario",
	"calendário", "agenda", "kalenteri", "kalendarz", "kalendář", "naptár", "календарь",
	"takvim", "ημερολόγιο", "予定表", "日历", "行事曆", "일정", NULL};
static const char *const CONTACTS[] = {"contacts", "kontakte", "contactos", "contatti", "contatos",
	"contactpersonen", "kontakter", "yhteystiedot", "kontakty", "névjegyzék", "контакты",
	"kişiler", "επαφέσ", "連絡先", "联系人", "連絡人", "연락처", NULL};
static const char *const TASKS[] = {"tasks", "aufgaben", "tâches", "tareas", "attività", "tarefas",
	"taken", "opgaver", "oppgaver", "tehtävät", "zadania", "úkoly", "feladatok", "задачи",
	"görevler", "εργασίεσ", "タスク", "任务", "작업", NULL};
static const char *const NOTES[] = {"notes", "notizen", "notas", "anotações", "notities", "notater",
	"notatki", "poznámky", "feljegyzések", "заметки", "notlar", "σημειώσεισ", "メモ", "便笺",
	"메모", NULL};
static const char *const JOURNAL[] = {"journal", "diario", "diário", "logboek", "dziennik", "deník",
	"дневник", "履歴", "日记", NULL};

static const struct names OTHERS[] = {
	{PF_ROLE_CALENDAR, CALENDAR},
	{PF_ROLE_CONTACTS, CONTACTS},
	{PF_ROLE_TASKS, TASKS},
	{PF_ROLE_NOTES, NOTES},
	{PF_ROLE_JOURNAL, JOURNAL},
};

static enum pf_role find(const char *leaf, const struct names *all, size_t n)
{
	char *folded = leaf ? pf_utf8_fold(leaf) : NULL;
	enum pf_role found = PF_ROLE_NONE;

	for (size_t r = 0; folded && r < n && found == PF_ROLE_NONE; r++) {
		for (const char *const *name = all[r].names; *name && found == PF_ROLE_NONE;
			name++) {
			found = strcmp(folded, *name) == 0 ? all[r].role : PF_ROLE_NONE;
		}
	}
	free(folded);
	return found;
}

bool pf_is_name_of_others(const char *leaf)
{
	return find(leaf, OTHERS, PF_COUNT(OTHERS)) != PF_ROLE_NONE;
}

enum pf_role pf_role_by_name(const char *leaf)
{
	return find(leaf, ROLES, PF_COUNT(ROLES));
}

enum pf_role pf_role_of_kind(enum pf_kind kind, const char *leaf)
{
	enum pf_role found = find(leaf, OTHERS, PF_COUNT(OTHERS));
	bool fits = (kind == PF_KIND_CALENDAR && found == PF_ROLE_CALENDAR) ||
		    (kind == PF_KIND_CONTACTS && found == PF_ROLE_CONTACTS) ||
		    (kind == PF_KIND_TASKS && found == PF_ROLE_TASKS) ||
		    (kind == PF_KIND_NOTES && (found == PF_ROLE_NOTES || found == PF_ROLE_JOURNAL));

	return fits ? found : PF_ROLE_NONE;
}
