#include "model/role.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>

struct names {
	enum pf_role role;
	const char *const *names;
};

static const char *const SENT[] = {"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent-Mail",
	"Gesendet", "Gesendete Objekte", "Gesendete Elemente", "Gesendete Nachrichten",
	"Postausgang gesendet", "Envoyés", "Éléments envoyés", "Messages envoyés", "Objets envoyés",
	"Courrier envoyé", "Enviados", "Elementos enviados", "Mensajes enviados", "Itens enviados",
	"Mensagens enviadas", "Inviati", "Posta inviata", "Messaggi inviati", "Elementi inviati",
	"Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden objecten", "Sendt",
	"Sendte elementer", "Sendt post", "Skickat", "Skickade objekt", "Skickade meddelanden",
	"Lähetetyt", "Lähetetyt kohteet", "Wysłane", "Elementy wysłane", "Odeslané",
	"Odeslaná pošta", "Odoslané", "Odoslaná pošta", "Elküldött", "Elküldött elemek",
	"Elküldött üzenetek", "Trimise", "Elemente trimise", "Mesaje trimise", "Отправленные",
	"Надіслані", "Надіслане", "Gönderilmiş Öğeler", "Gönderilenler", "Gönderilmiş Postalar",
	"Απεσταλμένα", "Στοιχεία απεσταλμένων", "送信済み", "送信済みアイテム", "送信済みメール",
	"已发送", "已发送邮件", "已傳送郵件", "寄件備份", "보낸 편지함", "보낸메일함", NULL};
static const char *const DRAFTS[] = {"Drafts", "Draft", "Entwürfe", "Entwurf", "Brouillons",
	"Brouillon", "Borradores", "Borrador", "Rascunhos", "Bozze", "Concepten", "Kladder",
	"Utkast", "Luonnokset", "Kopie robocze", "Szkice", "Wersje robocze", "Koncepty",
	"Rozepsané", "Piszkozatok", "Ciorne", "Schițe", "Черновики", "Чернетки", "Taslaklar",
	"Πρόχειρα", "下書き", "草稿", "草稿箱", "草稿匣", "임시 보관함", "임시보관함", NULL};
static const char *const TRASH[] = {"Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin",
	"Papierkorb", "Gelöschte Objekte", "Gelöschte Elemente", "Gelöscht", "Corbeille",
	"Éléments supprimés", "Messages supprimés", "Papelera", "Papelera de reciclaje",
	"Elementos eliminados", "Lixeira", "Lixo", "Itens excluídos", "Itens eliminados", "Cestino",
	"Posta eliminata", "Elementi eliminati", "Prullenbak", "Verwijderde items", "Verwijderd",
	"Papirkurv", "Slettet post", "Slettede elementer", "Papperskorg", "Papperskorgen",
	"Borttaget", "Borttagna objekt", "Roskakori", "Poistetut", "Kosz", "Elementy usunięte",
	"Koš", "Odstraněná pošta", "Kôš", "Odstránené položky", "Kuka", "Lomtár", "Törölt elemek",
	"Coș de gunoi", "Gunoi", "Elemente șterse", "Корзина", "Удаленные", "Удалённые", "Кошик",
	"Видалені", "Çöp Kutusu", "Çöp", "Silinmiş Öğeler", "Κάδος", "Διαγραμμένα", "ゴミ箱",
	"削除済みアイテム", "已删除", "已删除邮件", "垃圾桶", "刪除的郵件", "휴지통", "지운 편지함",
	NULL};
static const char *const JUNK[] = {"Junk", "Spam", "Junk Mail", "Junk E-mail", "Junk Email",
	"Bulk Mail", "Bulk", "Werbung", "Spamverdacht", "Unerwünscht", "Junk-E-Mail",
	"Courrier indésirable", "Indésirables", "Pourriel", "Correo no deseado", "No deseado",
	"Lixo eletrônico", "Lixo Eletrónico", "Posta indesiderata", "Indesiderata",
	"Ongewenste e-mail", "Ongewenst", "Uønsket e-mail", "Uønsket", "Søppelpost", "Skräppost",
	"Roskaposti", "Niechciane", "Wiadomości-śmieci", "Nevyžádaná pošta", "Nevyžiadaná pošta",
	"Levélszemét", "Спам", "Нежелательная почта", "Небажана пошта", "İstenmeyen",
	"Gereksiz E-posta", "Önemsiz E-posta", "Ανεπιθύμητα", "迷惑メール", "垃圾邮件", "垃圾郵件",
	"스팸", "스팸 메일함", "정크 메일", NULL};
static const char *const ARCHIVE[] = {"Archive", "Archives", "Archived", "Archiv", "Archivo",
	"Arquivo", "Archivio", "Archief", "Arkiv", "Arkisto", "Archiwum", "Archív", "Archívum",
	"Arhivă", "Архив", "Архів", "Arşiv", "Αρχειοθήκη", "アーカイブ", "存档", "归档", "封存",
	"보관", NULL};

static const struct names ROLES[] = {
	{PF_ROLE_SENT, SENT},
	{PF_ROLE_DRAFTS, DRAFTS},
	{PF_ROLE_TRASH, TRASH},
	{PF_ROLE_JUNK, JUNK},
	{PF_ROLE_ARCHIVE, ARCHIVE},
};

static bool same(const char *folded, const char *name)
{
	unsigned char a = (unsigned char)folded[0], b = (unsigned char)name[0];
	char *other;
	bool eq;

	if (a < 128 && b < 128 && a != tolower(b)) {
		return false; /* most names end here, without being folded */
	}
	other = pf_utf8_fold(name);
	eq = other && strcmp(folded, other) == 0;
	free(other);
	return eq;
}

enum pf_role pf_role_by_name(const char *leaf)
{
	char *folded = leaf ? pf_utf8_fold(leaf) : NULL;
	enum pf_role found = PF_ROLE_NONE;

	for (size_t r = 0; folded && r < PF_COUNT(ROLES) && found == PF_ROLE_NONE; r++) {
		for (const char *const *n = ROLES[r].names; *n && found == PF_ROLE_NONE; n++) {
			found = same(folded, *n) ? ROLES[r].role : PF_ROLE_NONE;
		}
	}
	free(folded);
	return found;
}
